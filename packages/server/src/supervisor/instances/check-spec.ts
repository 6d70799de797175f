import { checkedOutput } from '../output/output.ts'
import { Refusal, type SpawnSpec } from '../protocol.ts'
import { isRecordId } from './records.ts'

/**
 * Refuses a spec that is malformed or asks for a uid that apps may not have. The control plane wrote it, but the supervisor
 * is the one with the rights: `lowestUid` is undefined when it is not root.
 */
export function checkSpec(spec: SpawnSpec, lowestUid: number | undefined): void {
  if (!isRecordId(spec.id)) reject(`not an id: ${JSON.stringify(spec.id)}`)
  if (spec.kind !== 'instance' && spec.kind !== 'task') reject('kind is instance or task')
  if ((spec.kind === 'task') !== (spec.task !== undefined))
    reject('a task has limits of time and output, an instance has none')
  checkedOutput(spec.output)
  checkCommand(spec)
  checkNumbers(spec)
  for (const [name, value] of Object.entries(spec.env)) {
    if (name === '' || /[=\0]/.test(name)) reject(`not a name for a variable: ${JSON.stringify(name)}`)
    if (typeof value !== 'string' || value.includes('\0')) reject(`the variable ${name} holds a NUL character`)
  }
  const { uid, gid } = spec.runAs
  if (lowestUid !== undefined && Math.min(uid, gid) < lowestUid) reject(`uid and gid must be ${lowestUid} or higher`)
}

function checkCommand({ command }: SpawnSpec): void {
  const words = command.kind === 'shell' ? [command.line] : [command.file, ...command.args]
  if (words.some((word) => typeof word !== 'string' || word.includes('\0'))) reject('the command holds a NUL character')
  if (command.kind === 'argv' && command.file.includes('=')) reject('a program may not have = in its name')
  if (words[0]?.trim() === '') reject('the command is empty')
}

function checkNumbers({ runAs, limits, task }: SpawnSpec): void {
  const { memoryBytes, processes, openFiles, fileBytes } = limits
  const all = [runAs.uid, runAs.gid, memoryBytes, processes, openFiles, fileBytes]
  const ofTask = task ? [task.timeoutMs, task.maxOutputBytes, task.disk?.maxBytes] : []
  for (const number of [...all, ...ofTask]) {
    if (number !== undefined && !(Number.isSafeInteger(number) && number >= 0))
      reject('limits and ids are whole numbers')
  }
}

function reject(message: string): never {
  throw new Refusal('SpecRejected', message)
}
