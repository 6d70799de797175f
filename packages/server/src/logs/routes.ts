import { listBuildLogs, listEnvironmentLogs, streamBuildLog, streamEnvironmentLog } from '@gantry/api'
import { type BoundEndpoint, bind, type TeamScope } from '../access/index.ts'
import { findEnvironment } from '../apps/index.ts'
import { type BuildRow, findBuild, isOver } from '../builds/index.ts'
import type { Queryable } from '../db/database.ts'
import { UserError } from '../kernel/errors.ts'
import type { WriterStatus } from './follow-lines.ts'
import { buildStream, environmentStream } from './log-line.ts'
import type { Logs } from './logs.ts'
import { logReplies } from './reply-logs.ts'

/** The output of what earlier rooms own: environments and builds. */
export function logRoutes(db: Queryable, logs: Logs): readonly BoundEndpoint[] {
  const ofEnvironment = async (scope: TeamScope, idOrLabel: string) => {
    const { id, appId } = await findEnvironment(db, scope, idOrLabel)
    return { id, replies: logReplies(logs, environmentStream(appId, id)) }
  }
  const ofBuild = async (scope: TeamScope, buildId: string) => {
    const { id, appId } = await showBuild(db, scope, buildId)
    return { id, replies: logReplies(logs, buildStream(appId, id)) }
  }
  return [
    bind(listEnvironmentLogs, async (call) => {
      const { id, replies } = await ofEnvironment(call.scope, call.params.id)
      return await replies.page(call, `/v1/environments/${id}/logs`)
    }),
    bind(streamEnvironmentLog, async (call) => {
      const { replies } = await ofEnvironment(call.scope, call.params.id)
      return replies.events(call)
    }),
    bind(listBuildLogs, async (call) => {
      const { id, replies } = await ofBuild(call.scope, call.params.id)
      return await replies.page(call, `/v1/builds/${id}/logs`)
    }),
    bind(streamBuildLog, async (call) => {
      const { id, replies } = await ofBuild(call.scope, call.params.id)
      return replies.events(call, () => writerStatus(db, logs, call.scope, id))
    }),
  ]
}

async function showBuild(db: Queryable, scope: TeamScope, id: string): Promise<BuildRow> {
  const build = await findBuild(db, scope, id)
  if (build) return build
  throw new UserError('not_found', `There is no build ${id}, or this token may not see it.`)
}

/** A build that is over has written its last line to this process's buffer: it is in the stream once that is flushed. */
async function writerStatus(db: Queryable, logs: Logs, scope: TeamScope, id: string): Promise<WriterStatus> {
  const build = await findBuild(db, scope, id)
  if (!build) return { status: 'cancelled', isOver: true }
  if (!isOver(build.status)) return { status: build.status, isOver: false }
  await logs.flush()
  return { status: build.status, isOver: true }
}
