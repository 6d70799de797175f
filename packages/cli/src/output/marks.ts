import type { Terminal } from './terminal.ts'

const marks = { ok: ['green', '✓'], warning: ['yellow', '!'], failed: ['red', '✗'] } as const

/** How a check ended, as one character. */
export function markOf(status: keyof typeof marks, { style }: Pick<Terminal, 'style'>): string {
  const [colour, mark] = marks[status]
  return style(colour, mark)
}
