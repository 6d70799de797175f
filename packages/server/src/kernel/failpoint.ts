import { readFileSync, renameSync, writeFileSync } from 'node:fs'

/**
 * A named place in the code where a test may end the process, to prove that what follows a crash there is right. Costs
 * one call of an empty function unless failpoints are on.
 */
export type Failpoint<Name extends string = string> = (name: Name) => void

export const noFailpoints: Failpoint = () => undefined

export interface FailpointOptions {
  /** Path of a file that names one failpoint a line; `undefined`: none are on. Comes from `GANTRY_FAILPOINTS_FILE`. */
  readonly file: string | undefined
  /** Ends this process at once and does not return: SIGKILL to itself. */
  readonly end: () => void
}

/**
 * Ends the process at a failpoint that the file names. Its line is taken out first, so that the process that starts next
 * passes the same place.
 */
export function createFailpoints({ file, end }: FailpointOptions): Failpoint {
  if (!file) return noFailpoints
  return (name) => {
    const names = readFileSync(file, 'utf8').split('\n')
    const at = names.indexOf(name)
    if (at < 0) return
    names.splice(at, 1)
    writeFileSync(`${file}.new`, names.join('\n'))
    renameSync(`${file}.new`, file)
    end()
  }
}
