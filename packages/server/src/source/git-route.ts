import type { GitService } from '../clients/git/index.ts'
import { UserError } from '../kernel/errors.ts'

export interface GitRoute {
  /** The app's name, in the form that names have. */
  readonly name: string
  readonly service: GitService
  /** `info/refs`: what there is, before anything is fetched or pushed. */
  readonly isAdvertisement: boolean
}

/**
 * Takes apart what stands below `/git/`. The path is matched as it was sent, without decoding: what is not exactly one of
 * the three addresses of an app does not exist. Throws `not_found`, `method_not_allowed`, `forbidden`.
 */
export function matchGitRoute(method: string | undefined, url: string): GitRoute {
  const [path = '', search = ''] = url.split('?', 2)
  const match =
    /^\/git\/([a-z](?:[a-z0-9]|-(?=[a-z0-9])){0,38})\.git\/(info\/refs|git-upload-pack|git-receive-pack)$/.exec(path)
  if (!match) throw new UserError('not_found', 'There is no such address. A repository is at /git/<app>.git')
  const [, name = '', what = ''] = match
  const isAdvertisement = what === 'info/refs'
  if (method !== (isAdvertisement ? 'GET' : 'POST')) {
    throw new UserError('method_not_allowed', `This address takes ${isAdvertisement ? 'GET' : 'POST'} only.`)
  }
  const service = isAdvertisement ? serviceIn(search) : (what as GitService)
  return { name, service, isAdvertisement }
}

function serviceIn(search: string): GitService {
  if (search === 'service=git-upload-pack') return 'git-upload-pack'
  if (search === 'service=git-receive-pack') return 'git-receive-pack'
  throw new UserError('forbidden', 'Only git 1.6.6 and later is served: its smart protocol over HTTP.')
}
