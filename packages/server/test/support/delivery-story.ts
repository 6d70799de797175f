import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach } from 'node:test'
import type { DeployId, EnvironmentId } from '../../src/kernel/ids.ts'
import { createDeliveryWorld, type DeliveryWorld, type Running } from './delivery.ts'

/** What the tests of delivery talk about: one world for a file, a fresh app and a control plane at work for each test. */
export let world: DeliveryWorld
export let environmentId: EnvironmentId

export function beginDeliveryStories(): void {
  let running: Running
  let apps = 0
  before(async () => {
    world = await createDeliveryWorld()
  })
  after(() => world.close())
  beforeEach(async () => {
    Object.assign(world.levers, {
      build: 'succeeds',
      processTypes: { web: { command: 'node server.js', overlap: true } },
      rollout: 'succeeds',
      releasePhase: {},
      acknowledges: true,
      failpoint: () => undefined,
    })
    environmentId = (await world.createApp(`app-${apps++}`)).environmentId
    running = world.start()
  })
  afterEach(() => running.stop())
}

export interface Row {
  status: string
  error_code: string | null
  error_message: string | null
  wait_reason: string | null
  release_id: string | null
}

export async function row(id: DeployId): Promise<Row> {
  const [found] = await world.db.query<Row>('select * from deploys where id = $1', [id])
  assert.ok(found)
  return found
}

export async function history(id: DeployId): Promise<string[]> {
  const rows = await world.db.query<{ to_status: string }>(
    'select to_status from deploy_events where deploy_id = $1 order by id',
    [id],
  )
  return rows.map((event) => event.to_status)
}

export async function version(releaseId: string | null): Promise<number | undefined> {
  const [found] = await world.db.query<{ version: number }>('select version from releases where id = $1', [releaseId])
  return found?.version
}

export async function send(operationId: string, id: string, body?: object): Promise<{ id: DeployId }> {
  const routes = [...world.delivery.routes, ...world.apps.routes]
  const route = routes.find(({ endpoint }) => endpoint.operationId === operationId)
  assert.ok(route, operationId)
  const principal = { personName: 'owner' }
  const rest = { params: { id }, query: {}, headers: {}, baseUrl: 'http://localhost:4400' }
  return (await route.handle({ ...rest, principal, body, scope: world.scope } as never)) as { id: DeployId }
}
export const cancel = (id: DeployId) => send('cancel_deploy', id)
export const retry = async (id: DeployId) => (await send('retry_deploy', id)).id
export async function rollBack(to?: string, keepConfig = false): Promise<DeployId> {
  const target = to && { rollback_to: { id: to } }
  const body = { environment: { id: environmentId }, kind: 'rollback', keep_config: keepConfig, ...target }
  return (await send('create_deploy', '', body)).id
}
