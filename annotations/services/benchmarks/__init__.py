"""Studies that go on: methods that join later (`joining`), and ends that come by themselves (`ends`)."""
