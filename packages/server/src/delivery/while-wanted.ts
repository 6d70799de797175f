import type { DeliveryRoom } from './delivery-deps.ts'
import { isOpen } from './deploy-state.ts'
import { selectDeploy } from './deploy-store.ts'
import { type DeployJob, recordDeployEvents } from './record-deploy-event.ts'

export type Wanted<T> =
  | { readonly kind: 'ended'; readonly value: T }
  | { readonly kind: 'failed'; readonly error: unknown }
  /** The deploy was cancelled or superseded: the effect was aborted, and has ended. */
  | { readonly kind: 'unwanted' }

/** NOTIFY tells sooner. */
const pollMs = 250

/**
 * Runs an effect for as long as its deploy stays as it is and nobody asks for its cancellation; then aborts it and waits
 * for its end. Throws when the work itself is to stop: then somebody else goes on with the effect.
 */
export async function whileWanted<T>(
  room: DeliveryRoom,
  job: DeployJob,
  effect: (signal: AbortSignal) => Promise<T>,
): Promise<Wanted<T>> {
  const unwanted = new AbortController()
  const over = new AbortController()
  const watching = watchUntilUnwanted(room, job, over.signal).then((isUnwanted) => {
    if (isUnwanted) unwanted.abort(new Error('the deploy is no longer wanted'))
  })
  const result = await settle(effect(AbortSignal.any([job.signal, unwanted.signal])))
  over.abort()
  await watching
  job.signal.throwIfAborted()
  return unwanted.signal.aborted && result.kind === 'failed' ? { kind: 'unwanted' } : result
}

async function settle<T>(effect: Promise<T>): Promise<Wanted<T>> {
  try {
    return { kind: 'ended', value: await effect }
  } catch (error) {
    return { kind: 'failed', error }
  }
}

async function watchUntilUnwanted(room: DeliveryRoom, job: DeployJob, over: AbortSignal): Promise<boolean> {
  const { id, status } = job.deploy
  const watch = room.watch.open([id])
  over.addEventListener('abort', () => watch.wake(), { once: true })
  try {
    while (!over.aborted) {
      const row = await selectDeploy(room.db, job.scope, id).catch((error) => {
        room.log.warn({ deploy: id, error }, 'a deploy at work could not be looked at')
        return job.deploy
      })
      if (row?.status !== status || row.cancelRequestedAt) return true
      await watch.next(pollMs)
    }
    return false
  } finally {
    watch.close()
  }
}

/** Records a cancellation once nothing is left of the effect. What was superseded is over already, and ends as such. */
export async function endUnwanted(
  room: DeliveryRoom,
  job: DeployJob,
  end: (room: DeliveryRoom, job: DeployJob) => Promise<void>,
): Promise<'next'> {
  const deploy = await selectDeploy(room.db, job.scope, job.deploy.id)
  if (!deploy || !isOpen(deploy.status)) return 'next'
  await end(room, job)
  await recordDeployEvents(room, job, async () => [])
  return 'next'
}
