import { appendFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { isSystemError, messageOf } from '../../kernel/errors.ts'
import type { Logger } from '../../kernel/logger.ts'
import { Refusal, type WireFence } from '../protocol.ts'

/**
 * The highest fencing number seen for each scope. A journal of lines `<scope> <number> <ms since 1970>`, one appended per
 * rise, compacted when it is read and when it has grown. A scope that was silent for 30 days is forgotten: no lease and
 * no paused owner lives that long. Not flushed to disk: the numbers fence processes of this boot of the machine.
 */
export interface Fences {
  /** Refuses a number lower than the highest seen; remembers a higher one. */
  check(fence: WireFence): void
}

const keptMs = 30 * 24 * 3600 * 1000

export function openFences(path: string, { now, log }: { readonly now: () => Date; readonly log: Logger }): Fences {
  const highest = new Map<string, { number: number; atMs: number }>()
  for (const line of readOrEmpty(path).split('\n')) {
    const match = /^(\S+) (\d+) (\d+)$/.exec(line)
    if (match?.[1] !== undefined) highest.set(match[1], { number: Number(match[2]), atMs: Number(match[3]) })
  }
  let appended = 0
  let isBehind = false
  const compact = (): void => {
    const oldest = now().getTime() - keptMs
    let text = ''
    for (const [scope, { number, atMs }] of highest) {
      if (atMs < oldest) highest.delete(scope)
      else text += `${scope} ${number} ${atMs}\n`
    }
    writeFileSync(`${path}.tmp`, text, { mode: 0o600 })
    renameSync(`${path}.tmp`, path)
    appended = 0
    isBehind = false
  }
  /** A full disk must not keep anybody from stopping what fills it: what is in memory fences, and is written later. */
  const tryTo = (write: () => void): void => {
    try {
      write()
    } catch (error) {
      if (!isBehind) log.warn({ cause: messageOf(error) }, 'fencing numbers could not be written down')
      isBehind = true
    }
  }
  tryTo(compact)
  return {
    check({ scope, number }) {
      if (!/^[\w:./-]{1,200}$/.test(scope) || !Number.isSafeInteger(number) || number < 0) {
        throw new Refusal('BadRequest', 'a fence is a scope and a number')
      }
      const seen = highest.get(scope)?.number ?? -1
      if (number < seen) throw new Refusal('Fenced', `${scope}: ${number} is older than ${seen}`)
      if (number === seen) return
      const atMs = now().getTime()
      highest.set(scope, { number, atMs })
      const isDue = isBehind || ++appended > 1000 + highest.size
      tryTo(isDue ? compact : () => appendFileSync(path, `${scope} ${number} ${atMs}\n`, { mode: 0o600 }))
    },
  }
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return ''
    throw error
  }
}
