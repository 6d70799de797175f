import type { Logs } from '../../src/logs/index.ts'

export interface MemoryLogs extends Logs {
  lines(stream: string): readonly string[]
}

/** Streams in memory. */
export function createMemoryLogs(): MemoryLogs {
  const streams = new Map<string, { id: string; at: string; source: string; message: string }[]>()
  const of = (stream: string) => streams.get(stream) ?? []
  let count = 0
  return {
    lines: (stream) => of(stream).map((line) => line.message),
    append(stream, source, lines) {
      const at = new Date().toISOString()
      const made = lines.map((message) => ({ id: `1-${count++}`, at, source, message }))
      streams.set(stream, [...of(stream), ...made])
    },
    flush: async () => undefined,
    async page(stream, { start, limit }) {
      const all = of(stream)
      const from = start === undefined ? 0 : all.findIndex((line) => line.id === start)
      const next = all[from + limit]
      return { lines: all.slice(from, from + limit), ...(next && { next: next.id }) }
    },
    follow: async function* (stream) {
      yield* of(stream)
    },
    followAll: async function* (stream) {
      for (const line of of(stream)) yield { kind: 'line' as const, line }
    },
    last: async (stream, number, source) =>
      of(stream)
        .filter((line) => source === undefined || line.source === source)
        .slice(-number),
    remove: async (stream) => void streams.delete(stream),
  }
}
