import type { TeamScope } from '../access/index.ts'
import type { ArtifactUse } from '../builds/index.ts'
import type { Queryable } from '../db/database.ts'
import type { AppId } from '../kernel/ids.ts'

/**
 * Every release of an app and the artifact that it needs. Pinned is what is live or desired, what an instance still runs,
 * and what an open deploy is on its way to, or back from.
 */
export async function artifactUses(db: Queryable, scope: TeamScope, appId: AppId): Promise<readonly ArtifactUse[]> {
  return await db.query<ArtifactUse>(
    `select r.environment_id as "environmentId", r.version, r.artifact_id as "artifactId",
       (e.live_release_id is not distinct from r.id or e.desired_release_id is not distinct from r.id
        or exists (select 1 from instances i where i.environment_id = e.id and i.release_id = r.id and i.status <> 'ended')
        or exists (select 1 from deploys d where d.environment_id = e.id
          and d.status not in ('live', 'failed', 'cancelled', 'superseded', 'rolled_back')
          and r.id in (d.release_id, d.previous_release_id, d.rollback_to))) as "isPinned"
     from releases r join environments e on e.id = r.environment_id
     where r.team_id = $1 and ($2::text is null or r.app_id = $2) and r.app_id = $3 and e.deleted_at is null`,
    [scope.team, scope.app ?? null, appId],
  )
}
