import type { LogLine } from '@gantry/api'
import type { Context } from '../context.ts'
import { printable } from './printable.ts'
import type { Style } from './terminal.ts'

const colours: readonly Style[] = ['cyan', 'green', 'magenta', 'blue', 'yellow']

/** Prints log lines: time, source in a colour of its own, text; with `--json` each as the API's JSON. */
export function createLinePrinter({ terminal, isJson }: Pick<Context, 'terminal' | 'isJson'>): (line: LogLine) => void {
  let sourceWidth = 6
  return (line) => {
    if (isJson) return terminal.json(line)
    sourceWidth = Math.max(sourceWidth, line.source.length)
    const at = terminal.isTerminal ? timeOfDay(new Date(line.at)) : line.at
    const source = terminal.style(colourOf(line.source), line.source.padEnd(sourceWidth))
    terminal.print(`${terminal.style('dim', at)} ${source} ${printable(line.message)}`)
  }
}

/** The same for the same source everywhere. */
function colourOf(source: string): Style {
  if (source === 'gantry') return 'bold'
  let sum = 0
  for (const char of source) sum = (sum * 31 + (char.codePointAt(0) ?? 0)) % 65_521
  return colours[sum % colours.length] ?? 'cyan'
}

function timeOfDay(at: Date): string {
  const two = (value: number) => String(value).padStart(2, '0')
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${String(at.getMilliseconds()).padStart(3, '0')}`
}
