import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'

/**
 * A named place in the code where a test may end the process, or hold it while it ends another one, to prove that what
 * follows a crash there is right. Costs one call of an empty function unless failpoints are on.
 */
export type Failpoint<Name extends string = string> = (name: Name) => void

export const noFailpoints: Failpoint = () => undefined

export interface FailpointOptions {
  /** Path of a file that names one failpoint a line; `undefined`: none are on. Comes from `GANTRY_FAILPOINTS_FILE`. */
  readonly file: string | undefined
  /** Ends this process at once and does not return: SIGKILL to itself. */
  readonly end: () => void
  /** Stops this thread for some ms. */
  readonly sleep?: (ms: number) => void
}

/** A test that has forgotten us must not leave a process that never ends. */
const longestHoldMs = 30_000
const holdStepMs = 2

/**
 * What the file says of a failpoint happens once: its line is taken out first, so that the process that starts next
 * passes the same place. `NAME` ends the process. `NAME hold` makes the file `<file>.held` and waits until it is gone.
 */
export function createFailpoints({ file, end, sleep = sleepByAtomics }: FailpointOptions): Failpoint {
  if (!file) return noFailpoints
  return (name) => {
    const lines = readFileSync(file, 'utf8').split('\n')
    const at = lines.findIndex((line) => line === name || line === `${name} hold`)
    if (at < 0) return
    const [line] = lines.splice(at, 1)
    writeFileSync(`${file}.new`, lines.join('\n'))
    if (line === name) {
      renameSync(`${file}.new`, file)
      return end()
    }
    writeFileSync(`${file}.held`, name)
    renameSync(`${file}.new`, file)
    for (let waited = 0; existsSync(`${file}.held`) && waited < longestHoldMs; waited += holdStepMs) sleep(holdStepMs)
  }
}

function sleepByAtomics(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}
