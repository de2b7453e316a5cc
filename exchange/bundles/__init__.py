"""Archives of images with a manifest: opened safely (`archives`, `limits`, `names`), read row by row (`manifests`)."""
