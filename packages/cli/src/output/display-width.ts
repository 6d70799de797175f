const wide =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f900}-\u{1f9ff}\u{20000}-\u{3fffd}]/u
const zero = /\p{Mn}|\p{Me}|[\u200b-\u200d]/u

/** Columns that text takes on a terminal: East Asian wide characters and emoji take two, combining marks none. */
export function displayWidth(text: string): number {
  let width = 0
  for (const char of text) width += zero.test(char) ? 0 : wide.test(char) ? 2 : 1
  return width
}
