import { printable } from './printable.ts'
import type { Terminal } from './terminal.ts'

/** Names and values, a line each; what is absent is left out. */
export function printFacts(
  terminal: Terminal,
  facts: readonly (readonly [name: string, value: string | undefined])[],
): void {
  const known = facts.filter(([, value]) => value)
  const width = Math.max(0, ...known.map(([name]) => name.length))
  for (const [name, value] of known) {
    terminal.print(`  ${terminal.style('dim', name.padEnd(width))}  ${printable(value ?? '')}`)
  }
}
