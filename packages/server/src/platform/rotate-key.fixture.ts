/**
 * A control plane that does nothing but rotate the master key, and is killed at failpoints. Arguments: database URL, folder of
 * keys, file of failpoints, and `request` to ask for a rotation first. It ends when no rotation is open.
 */
import { randomBytes } from 'node:crypto'
import { createKeyFiles, openKeyRing } from '../access/index.ts'
import { openDatabase } from '../db/open-database.ts'
import { systemClock } from '../kernel/clock.ts'
import { createFailpoints } from '../kernel/failpoint.ts'
import { createIds } from '../kernel/ids.ts'
import { silentLogger } from '../kernel/logger.ts'
import { createWorkRunner } from '../work/work-runner.ts'
import { createKeyRotations } from './rotate-key.ts'

const [url = '', folder = '', file = '', request] = process.argv.slice(2)
const db = openDatabase({ url, clock: systemClock, logger: silentLogger, maxConnections: 4 })
const files = createKeyFiles(folder)
const work = createWorkRunner({ db, clock: systemClock, logger: silentLogger, seat: 'rotation', pollMs: 20 })
const keys = createKeyRotations({
  db,
  clock: systemClock,
  newId: createIds(Date.now, randomBytes),
  work,
  log: silentLogger,
  ring: await openKeyRing({ db, clock: systemClock, files, randomBytes }),
  files,
  randomBytes,
  failpoint: createFailpoints({ file, end: () => process.kill(process.pid, 'SIGKILL') }),
  batchSize: 3,
})
if (request) await keys.request('owner')
const stopped = new AbortController()
work.handle('rotate_key', keys.handleRotation, 1)
const ended = work.run(stopped.signal)
while ((await db.query("select 1 from work where kind = 'rotate_key'", [])).length > 0) await systemClock.wait(10)
stopped.abort(new Error('the rotation has ended'))
await ended
await db.close()
