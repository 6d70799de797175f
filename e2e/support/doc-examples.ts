/**
 * Examples in documents that are run. A page is one story, its blocks run in order in one folder that is empty at first:
 *
 *     ```js gantry-file=server.js      the block becomes that file
 *     ```sh gantry-test                a line that begins with `$ ` is run; the lines below it must occur in its output, in
 *                                      this order, other lines between them; `…` stands for any text
 *     $ COMMAND   # fails              it must not exit with 0
 *     $ COMMAND   # after a moment     repeated until its output is so
 */
export type Block = { readonly kind: 'file'; readonly name: string; readonly text: string } | CommandBlock

export interface CommandBlock {
  readonly kind: 'commands'
  readonly commands: readonly Command[]
}

export interface Command {
  /** In the page, from 1. */
  readonly line: number
  readonly text: string
  readonly mustFail: boolean
  readonly isRepeated: boolean
  readonly expected: readonly string[]
}

/** The blocks of a page that are run or written; other blocks are left out. Throws when one is malformed. */
export function parseExamples(page: string): Block[] {
  const found: Block[] = []
  const lines = page.split('\n')
  for (let at = 0; at < lines.length; at++) {
    const fence = /^```(\w*) ?(.*)$/.exec(lines[at] ?? '')
    if (!fence) continue
    const end = lines.indexOf('```', at + 1)
    if (end < 0) throw new Error(`line ${at + 1}: the block does not end`)
    const content = lines.slice(at + 1, end)
    const mark = fence[2] ?? ''
    const file = /^gantry-file=(\S+)$/.exec(mark)?.[1]
    if (file) found.push({ kind: 'file', name: file, text: `${content.join('\n')}\n` })
    else if (mark === 'gantry-test') found.push({ kind: 'commands', commands: parseCommands(content, at + 2) })
    else if (mark !== '') throw new Error(`line ${at + 1}: what is "${mark}"?`)
    at = end
  }
  return found
}

function parseCommands(lines: readonly string[], firstLine: number): Command[] {
  const commands: Command[] = []
  for (const [index, line] of lines.entries()) {
    if (line.startsWith('$ ')) commands.push(parseCommand(line.slice(2), firstLine + index))
    else if (line.trim() !== '') {
      const last = commands.pop()
      if (!last) throw new Error(`line ${firstLine + index}: output before the first command`)
      commands.push({ ...last, expected: [...last.expected, line] })
    }
  }
  return commands
}

function parseCommand(typed: string, line: number): Command {
  const [text = '', comment] = typed.split(/\s+# (?=fails$|after a moment$)/)
  return { line, text, mustFail: comment === 'fails', isRepeated: comment === 'after a moment', expected: [] }
}

/** The first expected line that the output lacks; undefined when it has them all. */
export function missingLine(expected: readonly string[], output: string): string | undefined {
  const lines = output.split('\n').map((line) => line.trimEnd())
  let from = 0
  for (const wanted of expected) {
    const found = lines.findIndex((line, index) => index >= from && matches(line, wanted.trimEnd()))
    if (found < 0) return wanted
    from = found + 1
  }
  return undefined
}

function matches(line: string, wanted: string): boolean {
  const parts = wanted.split('…').map((part) => part.trim().replaceAll(/\s+/g, ' '))
  const pattern = parts.map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('.*')
  return new RegExp(`^\\s*${pattern}\\s*$`).test(line.replaceAll(/\s+/g, ' '))
}
