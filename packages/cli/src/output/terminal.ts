import { stripVTControlCharacters, styleText } from 'node:util'
import { printable, withoutControls } from './printable.ts'

/** Where a command's words go: results to standard output, everything else to standard error. */
export interface Terminal {
  /** A line of result. Colours stay where the terminal shows them; no other control reaches it. */
  print(line: string): void
  /** A result as JSON on a line. */
  json(value: unknown): void
  /** Bytes of result, as they are. */
  write(text: string): void
  /** A line for the person who waits: progress, hints, warnings. */
  say(line: string): void
  /** Replaces the last `status` line while one stands; only on a terminal, else nothing. `''` removes it. */
  status(line: string): void
  style(format: Style, text: string): string
  readonly isTerminal: boolean
  /** Columns of standard output; 80 where it is not a terminal. */
  readonly columns: number
}

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan' | 'magenta' | 'blue'

interface Stream {
  write(text: string): unknown
  readonly isTTY?: boolean
  readonly columns?: number
}

export interface TerminalOptions {
  readonly stdout: Stream
  readonly stderr: Stream
  readonly env: Readonly<Record<string, string | undefined>>
}

export function createTerminal({ stdout, stderr, env }: TerminalOptions): Terminal {
  const coloursOn = (stream: Stream) => stream.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb'
  const fitting = (stream: Stream, line: string) => withoutControls(coloursOn(stream) ? line : stripColours(line))
  const style = (format: Style, text: string) => styleText(format, text, { validateStream: false })
  let statusShown = false
  const clearStatus = () => {
    if (statusShown) stderr.write('\r\u001b[2K')
    statusShown = false
  }
  return {
    isTerminal: stdout.isTTY === true,
    get columns() {
      return stdout.columns || 80
    },
    print(line) {
      clearStatus()
      stdout.write(`${fitting(stdout, line)}\n`)
    },
    json(value) {
      clearStatus()
      stdout.write(`${jsonLine(value)}\n`)
    },
    write(text) {
      clearStatus()
      stdout.write(text)
    },
    say(line) {
      clearStatus()
      stderr.write(`${fitting(stderr, line)}\n`)
    },
    status(line) {
      if (!stderr.isTTY) return
      clearStatus()
      if (line === '') return
      const text = printable(line).slice(0, (stderr.columns || 80) - 1)
      stderr.write(fitting(stderr, style('dim', text)))
      statusShown = true
    },
    style,
  }
}

function stripColours(line: string): string {
  return line.includes('\u001b') ? stripVTControlCharacters(line) : line
}

/** JSON whose C1 and bidirectional controls are escaped too: it may be shown on a terminal. */
function jsonLine(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
