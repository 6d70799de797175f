/** `3 s ago`, `12 min ago`, `2 h ago`, `5 d ago`: when, for a table. */
export function ago(at: string | undefined, now: Date): string {
  if (!at) return ''
  const seconds = Math.max(0, Math.round((now.getTime() - Date.parse(at)) / 1000))
  return `${span(seconds)} ago`
}

/** Seconds as the largest unit that fits. */
export function span(seconds: number): string {
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`
  if (seconds < 48 * 3600) return `${Math.floor(seconds / 3600)} h`
  return `${Math.floor(seconds / 86_400)} d`
}

/** `1.4 s`, `320 ms`: how long something took. */
export function took(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`
}

/** `web=3 worker=1`. */
export function scaleInWords(scale: Readonly<Record<string, number>>): string {
  return Object.entries(scale)
    .map(([type, count]) => `${type}=${count}`)
    .join(' ')
}

/** `12 kB`, `3.4 MB`. */
export function bytes(count: number): string {
  if (count < 1000) return `${count} B`
  const units = ['kB', 'MB', 'GB', 'TB']
  let value = count / 1000
  let unit = 0
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`
}

/** `1 file`, `2 files`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
