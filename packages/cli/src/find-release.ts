import { getRelease, listReleases, type Release } from '@gantry/api'
import type { Context } from './context.ts'
import { CommandError, exitCodes } from './exit-codes.ts'

/** The release that is meant: `v5` or `5` of the environment, an id; nothing means the live one. */
export async function findRelease(context: Context, typed: string | undefined): Promise<Release> {
  const client = await context.client()
  if (typed?.startsWith('rel-')) return await client.call(getRelease, { params: { id: typed } })
  const environment = await context.environment()
  const name = typed !== undefined && /^[0-9]/.test(typed) ? `v${typed}` : typed
  for await (const release of client.items(listReleases, { query: { environment_id: environment, limit: 100 } })) {
    if (name === undefined ? release.is_live : release.name === name) return release
  }
  const message = name === undefined ? `${environment} has no live release.` : `${environment} has no release ${name}.`
  throw new CommandError(exitCodes.notFound, message, 'See: gantry releases')
}
