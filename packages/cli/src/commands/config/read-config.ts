import {
  type Config,
  getEnvironmentBuildConfig,
  getEnvironmentConfig,
  updateEnvironmentBuildConfig,
  updateEnvironmentConfig,
} from '@gantry/api'
import { flag, type Input } from '../../command.ts'
import type { Context } from '../../context.ts'

export async function readConfig(context: Context, input: Input): Promise<Config> {
  const client = await context.client()
  const params = { id: await context.environment() }
  return flag(input, 'build')
    ? await client.call(getEnvironmentBuildConfig, { params })
    : await client.call(getEnvironmentConfig, { params })
}

export async function changeConfig(
  context: Context,
  input: Input,
  variables: Readonly<Record<string, string | null>>,
): Promise<Config> {
  const client = await context.client()
  const change = { params: { id: await context.environment() }, body: { variables } }
  return flag(input, 'build')
    ? await client.call(updateEnvironmentBuildConfig, change)
    : await client.call(updateEnvironmentConfig, change)
}
