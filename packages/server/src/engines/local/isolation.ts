import type { Hello } from '../../supervisor/protocol.ts'
import type { EngineHealth } from '../engine.ts'

/** What may be said of the separation between apps on this machine, honestly: a sandbox is not there yet on any. */
export function describeIsolation(hello: Hello): EngineHealth {
  const { root, prlimit, setpriv, cgroup } = hello
  const missing = [
    'Files and network are shared: level 1 needs a sandbox (bubblewrap), which this version does not use.',
  ]
  if (!root)
    missing.push('Every app and build runs as the same user: start Gantry as root to give each a uid of its own.')
  if (cgroup === 'none') missing.push('Memory is not capped: no control group (cgroup v1 or v2) can be made here.')
  if (!prlimit) missing.push('Open files and file sizes are not limited: util-linux (prlimit) is not installed.')
  if (!setpriv) missing.push('Set-uid programs keep their power: util-linux (setpriv) is not installed.')
  return { ok: true, isolationLevel: 0, isolation: root ? asRoot : asUser, missing }
}

const asUser = 'Apps can read each other and the platform. One trusted owner only.'
const asRoot =
  'Each app and each build has a uid of its own, so that apps cannot read each other’s files, environment or the platform’s keys; ' +
  'nothing pushed runs as root. Processes are visible to each other and the network is shared. One trusted owner only.'
