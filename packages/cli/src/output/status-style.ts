import type { Style } from './terminal.ts'

const styles: Readonly<Record<string, Style>> = {
  live: 'green',
  succeeded: 'green',
  running: 'green',
  healthy: 'green',
  ok: 'green',
  failed: 'red',
  unhealthy: 'red',
  degraded: 'red',
  rolled_back: 'red',
  cancelled: 'yellow',
  superseded: 'dim',
  ended: 'dim',
  stopped: 'dim',
  empty: 'dim',
}

/** The colour of a status, of whatever it is; what is under way is yellow. */
export function statusStyle(status: string): Style {
  return styles[status] ?? 'yellow'
}
