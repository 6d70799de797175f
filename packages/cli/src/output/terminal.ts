import { styleText } from 'node:util'

/** Where a command's words go: results to standard output, everything else to standard error. */
export interface Terminal {
  /** A line of result. */
  print(line: string): void
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

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan'

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
  const isTerminal = stdout.isTTY === true
  const colours = isTerminal && !env.NO_COLOR && env.TERM !== 'dumb'
  let statusShown = false
  const clearStatus = () => {
    if (statusShown) stderr.write('\r\u001b[2K')
    statusShown = false
  }
  return {
    isTerminal,
    columns: stdout.columns ?? 80,
    print(line) {
      clearStatus()
      stdout.write(`${line}\n`)
    },
    write(text) {
      clearStatus()
      stdout.write(text)
    },
    say(line) {
      clearStatus()
      stderr.write(`${line}\n`)
    },
    status(line) {
      if (!stderr.isTTY) return
      clearStatus()
      if (line === '') return
      stderr.write(line.slice(0, (stderr.columns ?? 80) - 1))
      statusShown = true
    },
    style: (format, text) => (colours ? styleText(format, text, { validateStream: false }) : text),
  }
}

/**
 * Text from elsewhere (a log line, a commit's message) made safe for a terminal: of all control sequences only colours
 * (SGR) stay; the rest, and bidirectional overrides, are shown as their code points.
 */
export function printable(text: string): string {
  return text.replace(unsafe, (found) => (sgr.test(found) ? found : escaped(found)))
}

const sgr = /^\u001b\[[0-9;]*m$/
const unsafe = /\u001b\[[0-9;]*m|[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g

function escaped(text: string): string {
  return [...text].map((char) => `\\u${(char.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`).join('')
}
