import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { eventually } from '../eventually.ts'

/** The file by which a test tells the control plane where to end or to stand still: kernel/failpoint.ts. */
export interface FailpointFile {
  readonly path: string
  /** `end`: the control plane kills itself there. `hold`: it stands still there until `letGo`. */
  set(name: string, what: 'end' | 'hold'): Promise<void>
  /** Throws when it has not been reached. */
  assertReached(what: 'end' | 'hold'): Promise<void>
  letGo(): Promise<void>
  clear(): Promise<void>
}

export async function createFailpointFile(path: string): Promise<FailpointFile> {
  await mkdir(dirname(path), { recursive: true })
  await chmod(dirname(path), 0o777) // the control plane is another user
  const write = async (text: string) => {
    await writeFile(`${path}.test`, text)
    await chmod(`${path}.test`, 0o666)
    await rename(`${path}.test`, path)
  }
  await write('')
  return {
    path,
    set: (name, what) => write(what === 'end' ? `${name}\n` : `${name} hold\n`),
    async assertReached(what) {
      const text = what === 'hold' ? await readFile(`${path}.held`, 'utf8') : await readFile(path, 'utf8')
      if (what === 'end' && text.trim() !== '') throw new Error(`${text.trim()} has not been reached`)
    },
    letGo: () => rm(`${path}.held`, { force: true }),
    async clear() {
      await write('')
      await rm(`${path}.held`, { force: true })
    },
  }
}

export async function untilReached(file: FailpointFile, what: 'end' | 'hold', deadlineMs: number): Promise<void> {
  await eventually('the failpoint is reached', () => file.assertReached(what), deadlineMs)
}
