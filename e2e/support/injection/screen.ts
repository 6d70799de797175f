/** What a terminal would obey in text that reached it: all controls but line ends, tabs, colours and the bidirectional ones. */
export function controlsIn(text: string): readonly string[] {
  const rest = text.replaceAll(/\u001b\[[0-9;]*m|\r\u001b\[2K/g, '')
  return rest.match(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g) ?? []
}

/** The same for what git shows of the other side, where git ends its own progress with a carriage return. */
export function controlsInRemoteLines(text: string): readonly string[] {
  const lines = text.split('\n').filter((line) => line.startsWith('remote: ') || line.includes('[remote rejected]'))
  return controlsIn(lines.join('\n').replaceAll('\r', ''))
}

/** Loaded into a command before it starts, it makes it believe that it writes to a terminal. */
const pretend = `for (const stream of [process.stdout, process.stderr]) {
  Object.defineProperty(stream, 'isTTY', { value: true })
  Object.defineProperty(stream, 'columns', { value: 100 })
}`

/** The environment of a command on a terminal that shows colours. */
export const onTerminal = {
  NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(pretend)}`,
  NO_COLOR: '',
  TERM: 'xterm-256color',
}
