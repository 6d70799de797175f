import {
  getEnvironmentBuildConfig,
  getEnvironmentConfig,
  updateEnvironmentBuildConfig,
  updateEnvironmentConfig,
} from '@gantry/api'
import { type BoundEndpoint, bind, type Call } from '../access/index.ts'
import { checkIfMatch } from '../kernel/entity-tag.ts'
import type { AppsDeps } from './apps-deps.ts'
import type { ConfigKind } from './config.ts'
import { findEnvironment } from './find-app.ts'
import { type CurrentConfig, readCurrentConfig, setConfig } from './set-config.ts'
import { configView } from './views.ts'

type GetCall = Pick<Call<typeof getEnvironmentConfig>, 'scope' | 'params' | 'baseUrl'>
type UpdateCall = GetCall & Pick<Call<typeof updateEnvironmentConfig>, 'principal' | 'headers' | 'body'>

export function configRoutes(deps: AppsDeps): readonly BoundEndpoint[] {
  const read = (kind: ConfigKind) => async (call: GetCall) => {
    const environment = await findEnvironment(deps.db, call.scope, call.params.id)
    return configView(await readCurrentConfig(deps, deps.db, call.scope, { environment, kind }), call.baseUrl)
  }
  const change = (kind: ConfigKind) => async (call: UpdateCall) => {
    const { scope, baseUrl, principal, headers, body } = call
    const { id: environmentId } = await findEnvironment(deps.db, scope, call.params.id)
    const check = (current: CurrentConfig) => checkIfMatch(headers.ifMatch, configView(current, baseUrl).etag)
    const request = { environmentId, kind, patch: body.variables ?? {}, createdBy: principal.personName, check }
    const { config, deployId } = await deps.db.transaction((tx) => setConfig(deps, tx, scope, request))
    return configView(config, baseUrl, deployId)
  }
  return [
    bind(getEnvironmentConfig, read('run')),
    bind(updateEnvironmentConfig, change('run')),
    bind(getEnvironmentBuildConfig, read('build')),
    bind(updateEnvironmentBuildConfig, change('build')),
  ]
}
