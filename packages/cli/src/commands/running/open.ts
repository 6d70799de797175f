import { getEnvironment } from '@gantry/api'
import type { Context } from '../../context.ts'

export async function run(context: Context): Promise<void> {
  const client = await context.client()
  const environment = await client.call(getEnvironment, { params: { id: await context.environment() } })
  if (context.isJson) return context.terminal.json(environment)
  context.terminal.print(environment.url)
  if (context.terminal.isTerminal) openInBrowser(context, environment.url)
}

/** Where there is a desktop; says nothing where there is none, or no `xdg-open`: the address is printed. */
function openInBrowser({ env, spawnArgv }: Context, url: string): void {
  if (!env.DISPLAY && !env.WAYLAND_DISPLAY) return
  if (!/^https?:\/\//.test(url)) return
  const child = spawnArgv('xdg-open', [url], { detached: true, stdio: 'ignore', env: { ...env } })
  child.once('error', () => undefined)
  child.unref()
}
