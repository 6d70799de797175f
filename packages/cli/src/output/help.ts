import type { CommandDefinition } from '../command.ts'
import { displayWidth } from './display-width.ts'
import type { Terminal } from './terminal.ts'

export interface HelpSection {
  readonly title: string
  readonly definitions: readonly CommandDefinition[]
}

/** Commands by section, each on a line or two that fit the terminal. */
export function commandList(sections: readonly HelpSection[], terminal: Pick<Terminal, 'columns' | 'style'>): string {
  const names = sections.flatMap(({ definitions }) => definitions.map(({ path }) => path.join(' ')))
  const room = Math.max(...names.map(displayWidth)) + 4
  return sections
    .map(({ title, definitions }) => {
      const lines = definitions.flatMap((definition) => commandLines(definition, room, terminal.columns))
      return [terminal.style('bold', title), ...lines].join('\n')
    })
    .join('\n\n')
}

function commandLines({ path, summary }: CommandDefinition, room: number, columns: number): string[] {
  const [first = '', ...rest] = wrap(summary, Math.min(columns, 120) - room)
  return [`  ${path.join(' ').padEnd(room - 2)}${first}`, ...rest.map((line) => ' '.repeat(room) + line)]
}

/** Words in lines of at most `width`; a longer word has a line of its own. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line]
}
