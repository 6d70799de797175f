import type { Database } from '../db/database.ts'
import { backoffMs } from '../kernel/backoff.ts'
import type { Clock } from '../kernel/clock.ts'
import { messageOf } from '../kernel/errors.ts'
import type { Logger } from '../kernel/logger.ts'
import { type Bell, createBell } from './bell.ts'
import { keepLeases, type LeasedItem, LeaseLost } from './heartbeat.ts'
import type { WorkHandler, WorkKind, WorkOutcome, WorkRunner } from './work.ts'
import {
  type ClaimedWork,
  claimWork,
  enqueueWork,
  finishWork,
  freeExpiredWork,
  freeWorkOfSeat,
  postponeWork,
  returnWork,
} from './work-store.ts'

export interface WorkRunnerOptions {
  readonly db: Database
  readonly clock: Clock
  readonly logger: Logger
  /**
   * The name of this runner's place, such as the home's path: a process that starts in a seat takes back at once what
   * the process before it had leased. Different for every runner that may be alive at the same time.
   */
  readonly seat: string
  /** Default 15 s; renewed every third of it. */
  readonly leaseMs?: number
  /** Default 1 s. */
  readonly pollMs?: number
}

interface Registration {
  readonly handler: WorkHandler
  readonly concurrency: number
  running: number
}

export function createWorkRunner(options: WorkRunnerOptions): WorkRunner {
  const registrations = new Map<WorkKind, Registration>()
  return {
    enqueue: enqueueWork,
    handle(kind, handler, concurrency) {
      if (registrations.has(kind)) throw new Error(`work of kind ${kind} has a handler already`)
      registrations.set(kind, { handler, concurrency, running: 0 })
    },
    run: (signal) => runWork({ leaseMs: 15_000, pollMs: 1000, ...options, registrations, bell: createBell() }, signal),
  }
}

interface Runner extends Required<WorkRunnerOptions> {
  readonly registrations: ReadonlyMap<WorkKind, Registration>
  readonly bell: Bell
}

async function runWork(runner: Runner, signal: AbortSignal): Promise<void> {
  const { db, bell } = runner
  const items = new Set<LeasedItem>()
  const handlers = new Set<Promise<void>>()
  const heart = new AbortController()
  const heartbeat = keepLeases(runner, items, heart.signal)
  const stopListening = await db.listen('work', bell.ring)
  const stop = () => {
    for (const item of items) item.abort.abort(signal.reason)
    bell.ring()
  }
  signal.addEventListener('abort', stop, { once: true })
  const start = (work: ClaimedWork, claimedAtMs: number) => {
    const item: LeasedItem = { fence: work.fence, abort: new AbortController(), renewedAtMs: claimedAtMs }
    items.add(item)
    const handler = handleItem(runner, work, item.abort.signal, signal).finally(() => {
      items.delete(item)
      handlers.delete(handler)
      bell.ring()
    })
    handlers.add(handler)
  }

  const held = () => [...items].map((item) => item.fence)
  await claimUntilStopped(runner, { start, held }, signal)
  stop()
  await Promise.all(handlers)
  heart.abort()
  await heartbeat
  signal.removeEventListener('abort', stop)
  await stopListening()
}

async function claimUntilStopped(
  runner: Runner,
  seat: { start(work: ClaimedWork, claimedAtMs: number): void; held(): number[] },
  signal: AbortSignal,
): Promise<void> {
  let isSeatTaken = false
  while (!signal.aborted) {
    try {
      if (!isSeatTaken) await freeWorkOfSeat(runner.db, runner.seat, seat.held())
      isSeatTaken = true
      await freeExpiredWork(runner.db)
      const claimedAtMs = runner.clock.monotonicMs()
      for (const work of await claim(runner)) seat.start(work, claimedAtMs)
    } catch (error) {
      isSeatTaken = false // the claim may have been made, and only its answer lost
      runner.logger.warn({ error: messageOf(error) }, 'work could not be claimed')
    }
    if (!signal.aborted) await runner.bell.wait(runner.pollMs)
  }
}

async function claim(runner: Runner): Promise<ClaimedWork[]> {
  const open = [...runner.registrations].filter(([, it]) => it.running < it.concurrency)
  if (open.length === 0) return []
  const kinds = open.map(([kind]) => kind)
  const free = open.map(([, it]) => it.concurrency - it.running)
  return await claimWork(runner.db, kinds, free, { seat: runner.seat, ms: runner.leaseMs })
}

/** Never rejects. */
async function handleItem(runner: Runner, work: ClaimedWork, own: AbortSignal, stopped: AbortSignal): Promise<void> {
  const registration = runner.registrations.get(work.kind)
  if (registration === undefined) return
  registration.running++
  const item = { kind: work.kind, subject: work.subject, fence: work.fence, attempt: work.attempts }
  let outcome: WorkOutcome | undefined
  let failure: unknown
  try {
    outcome = await registration.handler(item, own)
  } catch (error) {
    failure = error ?? new Error('the handler threw nothing')
  }
  registration.running--
  if (own.reason instanceof LeaseLost) {
    runner.logger.warn({ ...item, reason: own.reason.message }, 'work was given up: its lease is lost')
    return
  }
  await settleAtLast(runner, { own, stopped }, async () => {
    await settle(runner, work, outcome, stopped.aborted ? undefined : failure)
  })
}

/** What is not recorded would be done again, and only when its lease has ended: so it is tried for as long as that lasts. */
async function settleAtLast(
  { clock, logger }: Runner,
  { own, stopped }: { own: AbortSignal; stopped: AbortSignal },
  record: () => Promise<void>,
): Promise<void> {
  for (let failures = 0; ; failures++) {
    try {
      return await record()
    } catch (error) {
      logger.warn({ error: messageOf(error) }, 'the end of work was not recorded')
    }
    if (own.reason instanceof LeaseLost || stopped.aborted) return
    await clock.wait(backoffMs(failures, 50, 1000), stopped).catch(() => undefined)
  }
}

async function settle(runner: Runner, work: ClaimedWork, outcome: WorkOutcome | undefined, failure: unknown) {
  const { db, logger } = runner
  if (outcome?.kind === 'done') return await finishWork(db, work)
  if (outcome?.kind === 'again') {
    await postponeWork(db, work, outcome.afterMs)
    return wakeAfter(runner, outcome.afterMs)
  }
  if (failure === undefined) return await returnWork(db, work)
  const afterMs = backoffMs(work.attempts, 1000, 60_000)
  logger.error({ kind: work.kind, subject: work.subject, attempt: work.attempts, afterMs, err: failure }, 'work failed')
  await postponeWork(db, work, afterMs, messageOf(failure).slice(0, 2000))
}

/** What is due before the next poll is not kept waiting for it. A timer may be early: it counts from its turn's start. */
function wakeAfter(runner: Runner, ms: number): void {
  if (ms >= runner.pollMs) return
  const dueMs = runner.clock.monotonicMs() + ms
  const onTimer = () => {
    const restMs = dueMs - runner.clock.monotonicMs()
    if (restMs > 0) setTimeout(onTimer, restMs).unref()
    else runner.bell.ring()
  }
  setTimeout(onTimer, ms).unref()
}
