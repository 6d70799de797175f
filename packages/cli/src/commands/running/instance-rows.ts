import type { Instance } from '@gantry/api'

/** What `ps` shows on a line: an instance, and how the one before it in its place crashed. */
export interface InstanceRow {
  readonly instance: Instance
  readonly why: string | undefined
}

/**
 * Everything that runs, and of each place that should be filled and is not (its successor waits after a crash) the last
 * instance that was there. `ended` has the newest first.
 */
export function instanceRows(
  running: readonly Instance[],
  ended: readonly Instance[],
  scale: Readonly<Record<string, number>>,
): InstanceRow[] {
  const lastEnded = new Map<string, Instance>()
  for (const instance of ended) if (!lastEnded.has(instance.name)) lastEnded.set(instance.name, instance)
  const filled = new Set(running.map((instance) => instance.name))
  const empty = [...lastEnded.values()].filter((instance) => !filled.has(instance.name) && isWanted(instance, scale))
  const rows = [
    ...running.map((instance) => ({ instance, why: crashBefore(instance, lastEnded.get(instance.name)) })),
    ...empty.map((instance) => ({ instance, why: instance.end_reason })),
  ]
  return rows.sort((a, b) => byName(a.instance.name, b.instance.name))
}

function isWanted(instance: Instance, scale: Readonly<Record<string, number>>): boolean {
  const slot = Number(instance.name.slice(instance.name.lastIndexOf('.') + 1))
  return slot <= (scale[instance.process_type] ?? 0)
}

function crashBefore(instance: Instance, before: Instance | undefined): string | undefined {
  return instance.crash_count > 0 ? before?.end_reason : undefined
}

function byName(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true })
}
