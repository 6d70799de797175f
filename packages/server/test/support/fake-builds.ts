import { randomBytes } from 'node:crypto'
import { systemScope } from '../../src/access/index.ts'
import { findArtifact, insertArtifact, takeArtifact } from '../../src/builds/artifact-store.ts'
import { endBuild, insertBuild } from '../../src/builds/build-store.ts'
import type { BuildRequest } from '../../src/builds/index.ts'
import type { Database } from '../../src/db/database.ts'
import type { DeliveryDeps } from '../../src/delivery/index.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { UserError } from '../../src/kernel/errors.ts'
import type { BuildId } from '../../src/kernel/ids.ts'
import { newId } from './access.ts'
import type { Levers } from './delivery.ts'

/** Builds that obey a lever and write the rows that real ones write. */
export function createFakeBuilds(db: Database, levers: Pick<Levers, 'build' | 'processTypes'>) {
  const building = new Set<string>()
  let most = 0
  const run = async ({ build, log }: BuildRequest, signal: AbortSignal) => {
    const scope = systemScope(build.teamId)
    building.add(build.id)
    most = Math.max(most, building.size)
    try {
      log('building')
      if (levers.build === 'breaks') throw new Error('the machine is on fire')
      if (levers.build === 'fails') {
        const failure = { code: 'build_failed', message: 'npm run build ended with exit code 1.' } as const
        await endBuild(db, scope, { id: build.id, now: new Date() }, { status: 'failed', ...failure })
        throw new UserError(failure.code, failure.message)
      }
      while (levers.build === 'hangs') await systemClock.wait(5, signal)
      const id = newId('artifact')
      const made = {
        id,
        appId: build.appId,
        kind: 'slug' as const,
        digest: `sha256:${randomBytes(32).toString('hex')}`,
        location: `/nowhere/${id}`,
        layers: {},
        processTypes: levers.processTypes,
        runEnv: {},
        sizeBytes: 1,
        createdAt: new Date(),
      }
      await insertArtifact(db, scope, made)
      await endBuild(db, scope, { id: build.id, now: new Date() }, { status: 'succeeded', artifactId: id })
      const [row] = await db.query<{ artifact_id: typeof id }>('select artifact_id from builds where id = $1', [
        build.id,
      ])
      return { artifactId: row?.artifact_id ?? id }
    } finally {
      building.delete(build.id)
    }
  }
  const builds: DeliveryDeps['builds'] = {
    async create(tx, scope, build) {
      const id: BuildId = newId('build')
      await insertBuild(tx, scope, { ...build, id, createdAt: new Date() })
      return id
    },
    run,
    async cancel({ build }, why) {
      const scope = systemScope(build.teamId)
      await endBuild(db, scope, { id: build.id, now: new Date() }, { status: 'cancelled', ...why })
    },
    artifact: findArtifact,
    take: (tx, scope, id) => takeArtifact(tx, scope, id, new Date()),
  }
  return { ...builds, building, mostAtOnce: () => most }
}
