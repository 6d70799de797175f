/**
 * Text from elsewhere (a log line, a commit's message) made safe for a terminal: of all control sequences only colours
 * (SGR) stay, and end with the text; the rest, and bidirectional overrides, are shown as their code points.
 */
export function printable(text: string): string {
  if (!unsafe.test(text)) return text
  let hasColour = false
  const safe = text.replaceAll(everyUnsafe, (found) => {
    if (!sgr.test(found)) return escaped(found)
    hasColour = true
    return found
  })
  return hasColour ? `${safe}\u001b[0m` : safe
}

/** The backstop for a line of our own that somebody else's text may have come into: colours stay as they are. */
export function withoutControls(line: string): string {
  return unsafe.test(line) ? line.replaceAll(everyUnsafe, (found) => (sgr.test(found) ? found : escaped(found))) : line
}

/** The same as `printable` on one line and without colours: for a cell of a table, or a value. */
export function printableCell(text: string): string {
  return text.replaceAll(everyUnsafe, escaped).replaceAll('\n', '\\n').replaceAll('\t', '\\t')
}

const sgr = /^\u001b\[[0-9;]*m$/
const unsafe = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/
const everyUnsafe = /\u001b\[[0-9;]*m|[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g

function escaped(text: string): string {
  return [...text]
    .map((char) => (char < ' ' || char > '~' ? `\\u${(char.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}` : char))
    .join('')
}
