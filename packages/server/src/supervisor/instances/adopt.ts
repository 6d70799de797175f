import { messageOf } from '../../kernel/errors.ts'
import { openReadEnd } from './fifos.ts'
import type { Instance, InstanceDeps, MainEnd } from './instance.ts'
import { isAlive, processesOf } from './processes.ts'
import type { InstanceRecord, ProcessRecord } from './records.ts'

const lookEveryMs = 100

/**
 * Takes over what an earlier supervisor started: goes on reading its output and waits for its end, whose status nobody can
 * tell any more. What does not run (or only in parts) is cleared away and has ended as `lost`.
 */
export async function adopt(instance: Instance, bootId: string, deps: InstanceDeps): Promise<void> {
  const { record } = instance
  if (record.exit) return
  if (record.bootId !== bootId) return await instance.finish('lost', 'the machine went down')
  const process = findMain(instance, deps)
  if (!process) {
    await instance.killAll()
    return await instance.finish('lost', 'it ended while no supervisor was running')
  }
  instance.follow({ process, mainEnd: waitForEnd(process, deps), readEnd: openOutput(record, deps) })
  noteRunning(instance, deps)
}

/** It runs, and its intent is on disk: that suffices for the next supervisor to find it, when the disk takes no more. */
export function noteRunning({ record }: Instance, deps: Pick<InstanceDeps, 'records' | 'log'>): void {
  try {
    deps.records.writeRunning(record)
  } catch (error) {
    deps.log.warn({ id: record.id, cause: messageOf(error) }, 'what runs could not be written down')
  }
}

/** An intent without a pid: the supervisor was killed around the spawn, and only the environment tells. */
function findMain(instance: Instance, deps: InstanceDeps): ProcessRecord | undefined {
  const { table } = deps
  const { process } = instance.record
  if (process) return isAlive(process.pid, process.startTicks, table) ? process : undefined
  const leader = processesOf(instance.identity, table, new Set()).find(({ pid, session }) => pid === session)
  return leader && { pid: leader.pid, startTicks: leader.startTicks, startedAt: deps.clock.now().toISOString() }
}

async function waitForEnd({ pid, startTicks }: ProcessRecord, { clock, table }: InstanceDeps): Promise<MainEnd> {
  while (isAlive(pid, startTicks, table)) await clock.wait(lookEveryMs)
  return undefined
}

function openOutput(record: InstanceRecord, deps: InstanceDeps): number | undefined {
  try {
    return openReadEnd(deps.fifos.pathOf(record.id))
  } catch (error) {
    deps.log.warn({ id: record.id, cause: messageOf(error) }, 'the output of an instance cannot be read any more')
    return undefined
  }
}
