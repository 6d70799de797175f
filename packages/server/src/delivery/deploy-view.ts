import { type Deploy, type DeployEvent, errorUrl, isErrorCode } from '@gantry/api'
import {
  appReference,
  environmentLabel,
  environmentReference,
  environmentUrl,
  releaseReference,
  type Site,
} from '../apps/index.ts'
import { withEntityTag } from '../kernel/entity-tag.ts'
import type { DeployStep, ShownDeploy } from './shown-deploy-store.ts'

/** How a deploy looks on the wire. `baseUrl` has no slash at the end. */
export function deployView(deploy: ShownDeploy, context: { readonly baseUrl: string; readonly site: Site }): Deploy {
  const { baseUrl, site } = context
  return withEntityTag({
    ...reference('deploys', deploy.id, baseUrl),
    app: appReference({ id: deploy.appId, name: deploy.appName }, baseUrl),
    environment: environmentReference({ id: deploy.environmentId, name: deploy.environmentName }, baseUrl),
    kind: deploy.kind,
    status: deploy.status,
    ...(deploy.waitReason && { wait_reason: deploy.waitReason }),
    ...(deploy.commitSha && { commit_sha: deploy.commitSha }),
    ...referencesOf(deploy, baseUrl),
    keep_config: deploy.keepConfig,
    errors: errorsOf(deploy, baseUrl),
    url: environmentUrl(environmentLabel(deploy.appName, deploy.environmentName), site),
    created_by: deploy.createdBy,
    created_at: deploy.createdAt.toISOString(),
    updated_at: deploy.updatedAt.toISOString(),
    ...(deploy.finishedAt && { finished_at: deploy.finishedAt.toISOString() }),
  })
}

function referencesOf(deploy: ShownDeploy, baseUrl: string) {
  const { sourceId, buildId, releaseId, releaseVersion, rollbackTo, rollbackVersion, retryOf } = deploy
  return {
    ...(sourceId && { source: reference('sources', sourceId, baseUrl) }),
    ...(buildId && { build: reference('builds', buildId, baseUrl) }),
    ...(releaseId &&
      releaseVersion !== undefined && {
        release: releaseReference({ id: releaseId, version: releaseVersion }, baseUrl),
      }),
    ...(rollbackTo &&
      rollbackVersion !== undefined && {
        rollback_to: releaseReference({ id: rollbackTo, version: rollbackVersion }, baseUrl),
      }),
    ...(retryOf && { retry_of: reference('deploys', retryOf, baseUrl) }),
  }
}

function reference(noun: 'deploys' | 'sources' | 'builds', id: string, baseUrl: string) {
  return { id, href: `${baseUrl}/v1/${noun}/${id}` }
}

function errorsOf(deploy: ShownDeploy, baseUrl: string): Deploy['errors'] {
  const { errorCode, errorMessage = '' } = deploy
  if (errorCode === undefined) return []
  const code = isErrorCode(errorCode) ? errorCode : 'internal_error'
  return [{ code, message: errorMessage, more_info: errorUrl(baseUrl, code) }]
}

export function stepView(step: DeployStep): DeployEvent {
  return {
    id: String(step.id),
    at: step.at.toISOString(),
    ...(step.from && { from_status: step.from }),
    to_status: step.to,
    message: step.message,
  }
}
