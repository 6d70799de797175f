import { getPlatform } from '@gantry/api'
import type { Context } from '../../context.ts'
import { askSupervisor, type PlatformStatus } from '../../lifecycle.ts'

export async function run(context: Context): Promise<void> {
  const client = await context.client()
  const platform = await client.call(getPlatform)
  const { terminal } = context
  if (context.isJson) return terminal.json(platform)
  const colour = platform.status === 'ok' ? 'green' : 'red'
  terminal.print(`Gantry ${platform.version}: ${terminal.style(colour, platform.status)}`)
  terminal.print(`  API        ${client.baseUrl}`)
  terminal.print(`  Apps       http://<app>.${platform.domain}:${platform.http_port}`)
  terminal.print(`  Engine     ${platform.engine}, isolation level ${platform.isolation_level}: ${platform.isolation}`)
  for (const check of platform.checks) {
    const mark = check.status === 'ok' ? terminal.style('green', '✓') : terminal.style('red', '✗')
    terminal.print(`  ${mark} ${check.name.padEnd(12)} ${check.message}`)
  }
  const local = await askSupervisor<PlatformStatus>(context.home, 'status').catch(() => undefined)
  for (const program of local?.programs ?? []) {
    terminal.print(`  ${program.name.padEnd(14)} ${program.state}${program.pid ? `, process ${program.pid}` : ''}`)
  }
}
