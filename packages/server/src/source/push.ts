import type { ErrorCode } from '@gantry/api'
import { isRefName, type Oid, ownRefs, zeroOid } from '../clients/git/index.ts'
import type { DeployingApp } from './source.ts'

/** One line of a push: a ref, the value the client saw, the value it wants. `zeroOid`: does not exist. */
export interface RefCommand {
  readonly ref: string
  readonly from: Oid
  readonly to: Oid
}

/** What a client sends before its pack. */
export interface PushRequest {
  readonly commands: readonly RefCommand[]
  readonly options: readonly string[]
  /** Where the history of a shallow client ends. */
  readonly shallow: readonly Oid[]
  readonly capabilities: PushCapabilities
}

export interface PushCapabilities {
  readonly sideBand: boolean
  readonly reportStatus: boolean
  readonly atomic: boolean
  /** git says so whenever its output is no terminal, so it is about git's own progress meter and nothing else. */
  readonly quiet: boolean
}

export interface Refusal {
  readonly code: ErrorCode
  readonly message: string
}

export type Verdict =
  | { readonly kind: 'taken'; readonly command: RefCommand; readonly deploys: readonly DeployingApp[] }
  | { readonly kind: 'refused'; readonly command: RefCommand; readonly refusal: Refusal }

/** What becomes of each ref, as far as that can be said before a single object has come. */
export function decidePush(request: PushRequest, apps: readonly DeployingApp[]): readonly Verdict[] {
  const verdicts = request.commands.map((command): Verdict => {
    const refusal = isDouble(request, command) ? doubled : refuse(command, apps)
    if (refusal) return { kind: 'refused', command, refusal }
    return { kind: 'taken', command, deploys: command.to === zeroOid ? [] : appsOf(command.ref, apps) }
  })
  return request.capabilities.atomic ? refuseTogether(verdicts) : verdicts
}

/** All or nothing: when one ref is refused, so are the others. */
function refuseTogether(verdicts: readonly Verdict[]): readonly Verdict[] {
  if (verdicts.every((verdict) => verdict.kind === 'taken')) return verdicts
  const refusal: Refusal = { code: 'ref_rejected', message: 'another ref of this atomic push was refused' }
  return verdicts.map((verdict) =>
    verdict.kind === 'refused' ? verdict : { kind: 'refused', command: verdict.command, refusal },
  )
}

const doubled: Refusal = { code: 'ref_rejected', message: 'the push names this ref twice' }

function isDouble(request: PushRequest, command: RefCommand): boolean {
  return request.commands.filter(({ ref }) => ref === command.ref).length > 1
}

function refuse(command: RefCommand, apps: readonly DeployingApp[]): Refusal | undefined {
  const { ref, from, to } = command
  if (!isRefName(ref))
    return { code: 'ref_name_invalid', message: 'git does not accept this name; rename the branch or tag' }
  if (ref.startsWith(`${ownRefs}/`))
    return { code: 'ref_rejected', message: `names under ${ownRefs}/ are Gantry's own` }
  if (!/^refs\/(heads|tags|notes)\/./.test(ref) || ref === 'refs/heads/HEAD') {
    return { code: 'ref_rejected', message: `only branches and tags can be pushed; ${whatDeploys(apps)}` }
  }
  if (to !== zeroOid) return undefined
  if (from === zeroOid) return { code: 'ref_rejected', message: 'there is nothing of this name to delete' }
  const [app] = appsOf(ref, apps)
  if (!app) return undefined
  const instead = `to remove the app: gantry apps delete ${app.name}`
  return { code: 'ref_deletion_rejected', message: `${app.name} deploys from this branch; ${instead}` }
}

function appsOf(ref: string, apps: readonly DeployingApp[]): readonly DeployingApp[] {
  return apps.filter((app) => ref === `refs/heads/${app.branch}`)
}

/** `hello deploys from main`. */
export function whatDeploys(apps: readonly DeployingApp[]): string {
  const parts = apps.map(({ name, branch }) => `${name} deploys from ${branch}`)
  return parts.length > 0 ? parts.join(', ') : 'no app deploys from here'
}

/** `branch main`, `tag v1`: how people call a ref. */
export function describeRef(ref: string): string {
  if (ref.startsWith('refs/heads/')) return `branch ${ref.slice('refs/heads/'.length)}`
  if (ref.startsWith('refs/tags/')) return `tag ${ref.slice('refs/tags/'.length)}`
  return ref
}

/** Whether the client does not want to wait for the deploy. */
export function isAsync(options: readonly string[]): boolean {
  return options.includes('async')
}
