import assert from 'node:assert/strict'
import { after, beforeEach, describe, it } from 'node:test'
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts'
import { systemClock } from '../kernel/clock.ts'
import { silentLogger } from '../kernel/logger.ts'
import type { WorkHandler, WorkItem } from './work.ts'
import { createWorkRunner, type WorkRunnerOptions } from './work-runner.ts'
import { enqueueWork } from './work-store.ts'

describe('the work runner', { timeout: 60_000 }, () => {
  let test: TestDatabase | undefined
  const stops: (() => Promise<void>)[] = []
  const db = () => {
    assert.ok(test)
    return test.db
  }
  const stopAll = async () => {
    await Promise.all(stops.splice(0).map((stop) => stop()))
    await test?.close()
  }
  beforeEach(async () => {
    await stopAll()
    test = await createTestDatabase()
  })
  after(stopAll)

  function startRunner(handler: WorkHandler, options: Partial<WorkRunnerOptions> & { concurrency?: number } = {}) {
    const { concurrency = 4, ...rest } = options
    const runner = createWorkRunner({
      db: db(),
      clock: systemClock,
      logger: silentLogger,
      seat: `seat ${stops.length}`,
      ...rest,
    })
    runner.handle('deploy', handler, concurrency)
    const abort = new AbortController()
    const end = runner.run(abort.signal)
    const stop = async () => {
      abort.abort(new Error('stopping'))
      await end
    }
    stops.push(stop)
    return { stop }
  }

  async function eventually(what: string, isSo: () => boolean | Promise<boolean>) {
    const deadline = Date.now() + 20_000
    while (!(await isSo())) {
      assert.ok(Date.now() < deadline, `never happened: ${what}`)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
  const rows = () => db().query<{ subject: string; attempts: number; last_error: string | null }>('select * from work')

  it('runs what is enqueued, once, with growing fences, and removes the row', async () => {
    const seen: WorkItem[] = []
    startRunner(async (item) => {
      seen.push(item)
      return { kind: 'done' }
    })
    await enqueueWork(db(), 'deploy', 'a')
    await eventually('a ran', async () => (await rows()).length === 0)
    await enqueueWork(db(), 'deploy', 'a')
    await eventually('a ran again', async () => seen.length === 2 && (await rows()).length === 0)
    assert.ok((seen[1]?.fence ?? 0) > (seen[0]?.fence ?? 0))
    assert.deepEqual(
      seen.map((item) => item.attempt),
      [1, 1],
    )
  })

  it('takes nothing of a transaction that rolls back', async () => {
    const seen: string[] = []
    startRunner(async (item) => {
      seen.push(item.subject)
      return { kind: 'done' }
    })
    const failing = db().transaction(async (tx) => {
      await enqueueWork(tx, 'deploy', 'never')
      throw new Error('no')
    })
    await assert.rejects(failing)
    await enqueueWork(db(), 'deploy', 'yes')
    await eventually('yes ran', async () => seen.length > 0 && (await rows()).length === 0)
    assert.deepEqual(seen, ['yes'])
  })

  it('runs again what was enqueued while it ran, and never the same subject twice at once', async () => {
    let runs = 0
    let running = 0
    let mostAtOnce = 0
    startRunner(async () => {
      running++
      mostAtOnce = Math.max(mostAtOnce, running)
      if (++runs === 1) await enqueueWork(db(), 'deploy', 'a')
      running--
      return { kind: 'done' }
    })
    await enqueueWork(db(), 'deploy', 'a')
    await eventually('it ran twice', async () => runs === 2 && (await rows()).length === 0)
    assert.equal(mostAtOnce, 1)
  })

  it('shares work between runners, each row to one of them', async () => {
    const seen: string[] = []
    const handler: WorkHandler = async (item) => {
      seen.push(item.subject)
      return { kind: 'done' }
    }
    startRunner(handler)
    startRunner(handler)
    const subjects = Array.from({ length: 200 }, (_, n) => `s${n}`)
    await db().transaction(async (tx) => {
      for (const subject of subjects) await enqueueWork(tx, 'deploy', subject)
    })
    await eventually('all ran', async () => (await rows()).length === 0)
    assert.deepEqual(seen.sort(), subjects.sort())
  })

  it('comes back at the time the handler names, or earlier when asked', async () => {
    const attempts: number[] = []
    startRunner(async (item) => {
      attempts.push(item.attempt)
      return attempts.length === 1 ? { kind: 'again', afterMs: 30 } : { kind: 'again', afterMs: 3_600_000 }
    })
    await enqueueWork(db(), 'deploy', 'a')
    await eventually('the named time', () => attempts.length === 2)
    await enqueueWork(db(), 'deploy', 'a')
    await eventually('the earlier one', () => attempts.length === 3)
    assert.deepEqual(attempts, [1, 1, 1])
  })

  it('tries a throw again after a while, and keeps why', async () => {
    let runs = 0
    startRunner(async (item) => {
      runs++
      if (item.attempt === 1) throw new Error('the disk is full')
      return { kind: 'done' }
    })
    await enqueueWork(db(), 'deploy', 'a')
    await eventually('the reason is kept', async () => (await rows())[0]?.last_error === 'the disk is full')
    await eventually('the second attempt', async () => runs === 2 && (await rows()).length === 0)
  })

  it('keeps a lease alive for as long as the handler runs', async () => {
    let runs = 0
    const release = Promise.withResolvers<void>()
    const handler: WorkHandler = async () => {
      runs++
      await release.promise
      return { kind: 'done' }
    }
    startRunner(handler, { leaseMs: 300 })
    startRunner(handler, { leaseMs: 300, pollMs: 20 })
    await enqueueWork(db(), 'deploy', 'a')
    const first = await leaseEnd()
    await eventually('renewed several times', async () => (await leaseEnd()) > first + 900)
    assert.equal(runs, 1)
    release.resolve()
    await eventually('done', async () => (await rows()).length === 0)
  })

  async function leaseEnd(): Promise<number> {
    for (;;) {
      const [row] = await db().query<{ lease_until: Date | null }>('select lease_until from work', [])
      if (row?.lease_until) return row.lease_until.getTime()
    }
  }

  it('gives up a row that another runner has taken, and does not disturb that one', async () => {
    const reasons: string[] = []
    startRunner(
      (_item, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            reasons.push((signal.reason as Error).name)
            reject(signal.reason)
          })
        }),
      { leaseMs: 600, pollMs: 60_000 },
    )
    await enqueueWork(db(), 'deploy', 'a')
    await leaseEnd()
    await db().query(
      "update work set fence = nextval('fences'), leased_by = 'another', lease_until = now() + interval '1 hour'",
    )
    await eventually('given up', () => reasons.length === 1)
    assert.deepEqual(reasons, ['LeaseLost'])
    const [row] = await db().query<{ leased_by: string }>('select leased_by from work')
    assert.equal(row?.leased_by, 'another')
  })

  it('takes over from a runner that stopped answering, with a higher fence', async () => {
    await enqueueWork(db(), 'deploy', 'a')
    await db().query(
      "update work set fence = nextval('fences'), leased_by = 'dead', run_at = 'infinity', lease_until = now() + interval '100 ms'",
    )
    const fences: number[] = []
    startRunner(async (item) => {
      fences.push(item.fence)
      return { kind: 'done' }
    })
    await eventually('taken over', () => fences.length === 1)
    assert.ok((fences[0] ?? 0) > 1)
  })

  it('takes back at once what the process before it in the same seat had', async () => {
    await enqueueWork(db(), 'deploy', 'a')
    await db().query(
      "update work set fence = nextval('fences'), leased_by = 'home', run_at = 'infinity', lease_until = now() + interval '1 day'",
    )
    let runs = 0
    startRunner(
      async () => {
        runs++
        return { kind: 'done' }
      },
      { seat: 'home' },
    )
    await eventually('taken back', () => runs === 1)
  })

  /** A database whose answer to some statement is lost so many times, before or after it has done its work. */
  function losing(statement: RegExp, times: number, when: 'before' | 'after'): TestDatabase['db'] {
    const real = db()
    const query: typeof real.query = async (sql, parameters) => {
      const isLost = statement.test(sql) && times-- > 0
      if (isLost && when === 'before') throw new Error('connection lost')
      const found = await real.query(sql, parameters)
      if (isLost) throw new Error('connection lost')
      return found as never
    }
    return { ...real, query, transaction: (body) => real.transaction(body), listen: (...args) => real.listen(...args) }
  }

  it('records the end of work as soon as the database answers again', async () => {
    let runs = 0
    const handler: WorkHandler = async () => {
      runs++
      return { kind: 'done' }
    }
    startRunner(handler, { db: losing(/^delete from work/, 2, 'before'), leaseMs: 3_600_000 })
    await enqueueWork(db(), 'deploy', 'a')
    await eventually('recorded', async () => runs > 0 && (await rows()).length === 0)
    assert.equal(runs, 1)
  })

  it('takes back at once what it claimed when the answer was lost, and nothing that it works on', async () => {
    const seen: string[] = []
    let release: () => void = () => undefined
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    const handler: WorkHandler = async ({ subject }) => {
      seen.push(subject)
      if (subject === 'slow') await held
      return { kind: 'done' }
    }
    let isArmed = false
    const lossy = losing(/set fence = nextval/, 1, 'after')
    const query: typeof lossy.query = (sql, parameters) => (isArmed ? lossy : db()).query(sql, parameters)
    startRunner(handler, { db: { ...lossy, query }, leaseMs: 3_600_000, pollMs: 20 })
    await enqueueWork(db(), 'deploy', 'slow')
    await eventually('it works', () => seen.length === 1)
    isArmed = true
    await enqueueWork(db(), 'deploy', 'lost')
    await eventually('the lost one runs', () => seen.includes('lost'))
    assert.deepEqual(seen, ['slow', 'lost'])
    release()
  })

  it('stops by aborting what runs, and leaves it due at once and uncounted', async () => {
    const handler: WorkHandler = (_item, signal) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    const { stop } = startRunner(handler)
    await enqueueWork(db(), 'deploy', 'a')
    await leaseEnd()
    await stop()
    const [row] = await db().query('select attempts, lease_until, run_at <= now() as due, last_error from work')
    assert.deepEqual(row, { attempts: 0, lease_until: null, due: true, last_error: null })
  })
})
