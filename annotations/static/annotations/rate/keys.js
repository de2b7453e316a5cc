// The key as it is printed on the keys of most keyboards: a letter in capitals, a digit. Where a keyboard has other
// letters or digits, the key's place counts.
export function printed(event) {
  const key = event.key.length === 1 ? event.key.toUpperCase() : event.key;
  if (/^[ -~]+$/.test(key)) return key;
  return /^(?:Key|Digit|Numpad)([A-Z0-9])$/.exec(event.code)?.[1] ?? key;
}

export const labelOf = (input) => input.closest("label").querySelector(".label").textContent.trim();
