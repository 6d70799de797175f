import { closeSync, copyFileSync, fstatSync, ftruncateSync, openSync, renameSync } from 'node:fs'

/** Log files of Gantry's own programs. They are opened for appending, so that emptying one keeps its writers right. */
export const maxLogBytes = 10 * 1024 * 1024

export function openLog(path: string): number {
  return openSync(path, 'a', 0o640)
}

/**
 * Moves a log that has grown over `maxBytes` to `<path>.1`, replacing the one before. Its writers keep their descriptor, so it is
 * copied and emptied; what is written between the two is lost.
 */
export function rotateLog(path: string, maxBytes = maxLogBytes): void {
  const file = openSync(path, 'a+', 0o640)
  try {
    if (fstatSync(file).size <= maxBytes) return
    copyFileSync(path, `${path}.1.tmp`)
    renameSync(`${path}.1.tmp`, `${path}.1`)
    ftruncateSync(file)
  } finally {
    closeSync(file)
  }
}
