import type { WorkOutcome } from '../../work/work.ts'
import type { DeliveryRoom } from '../delivery-deps.ts'
import type { DeployJob } from '../record-deploy-event.ts'

/** `next`: something was recorded, and the journey goes on from there. */
export type StageOutcome = 'next' | WorkOutcome

/** What is done for a deploy of one status. Begun again after a crash, it goes on or ends what it began. */
export type Stage = (room: DeliveryRoom, job: DeployJob) => Promise<StageOutcome>

export const done: WorkOutcome = { kind: 'done' }

export function again(afterMs: number): WorkOutcome {
  return { kind: 'again', afterMs }
}
