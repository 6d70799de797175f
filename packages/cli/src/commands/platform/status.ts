import { getPlatform, type Platform } from '@gantry/api'
import type { Context } from '../../context.ts'
import { type ExitCode, exitCodes } from '../../exit-codes.ts'
import { askSupervisor, type PlatformStatus } from '../../lifecycle.ts'
import { markOf } from '../../output/marks.ts'

export async function run(context: Context): Promise<ExitCode> {
  const client = await context.client()
  const platform = await client.call(getPlatform)
  if (context.isJson) context.terminal.json(platform)
  else await show(context, platform, client.baseUrl)
  return platform.status === 'ok' ? exitCodes.ok : exitCodes.failed
}

async function show({ terminal, home }: Context, platform: Platform, url: string): Promise<void> {
  const colour = platform.status === 'ok' ? 'green' : 'red'
  terminal.print(`Gantry ${platform.version}: ${terminal.style(colour, platform.status)}`)
  terminal.print(`  API        ${url}`)
  terminal.print(`  Apps       http://<app>.${platform.domain}:${platform.http_port}`)
  terminal.print(
    `  Engine     ${platform.engine}, isolation level ${platform.isolation_level} of 4 (see gantry doctor)`,
  )
  for (const check of platform.checks) {
    terminal.print(`  ${markOf(check.status, terminal)} ${check.name.padEnd(12)} ${check.message}`)
  }
  const local = await askSupervisor<PlatformStatus>(home, 'status').catch(() => undefined)
  if (local?.apiUrl !== url) return // the platform that was asked is another one
  for (const program of local.programs) {
    terminal.print(`  ${program.name.padEnd(14)} ${program.state}${program.pid ? `, process ${program.pid}` : ''}`)
  }
}
