/** How this machine reaches package registries: what builds are told of Gantry's own surroundings, and nothing else. */
export interface MachineSettings {
  /** Environment of every build step: proxies and certificate authorities. */
  readonly env: Readonly<Record<string, string>>
  /** A global npmrc, beneath what a project's own `.npmrc` says. */
  readonly npmrc: string
}

const variables = [
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'NODE_EXTRA_CA_CERTS',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
] as const

/** npm settings that say where the registry is. Never a credential: a pushed repository could read it. */
const npmSettings = /^(?:registry|@[^:=\s]+:registry|proxy|https-proxy|noproxy|cafile|ca(?:\[\])?|strict-ssl)$/

/**
 * Picks them from Gantry's environment and from the npmrc files of the machine, the last of which wins. Addresses lose
 * user name and password, unless it is a proxy, which has no other way to be told.
 */
export function readMachineSettings(
  env: Readonly<Record<string, string | undefined>>,
  npmrcs: readonly string[],
): MachineSettings {
  const settings = new Map<string, string>()
  for (const text of npmrcs) for (const [name, value] of npmrcLines(text)) settings.set(name, value)
  for (const [name, value] of Object.entries(env)) {
    const setting = /^npm_config_(.+)$/i.exec(name)?.[1]?.toLowerCase().replaceAll('_', '-')
    if (setting && value) settings.set(setting, value)
  }
  const kept = [...settings].filter(([name, value]) => npmSettings.test(name) && !/[\n\r]/.test(value))
  return {
    env: Object.fromEntries(variables.flatMap((name) => (env[name] ? [[name, env[name]]] : []))),
    npmrc: kept.map(([name, value]) => `${name}=${withoutCredentials(name, value)}\n`).join(''),
  }
}

function npmrcLines(text: string): [string, string][] {
  return text.split(/\r?\n/).flatMap((line): [string, string][] => {
    const match = /^\s*([^#;=\s][^=]*?)\s*=\s*(.*?)\s*$/.exec(line)
    return match?.[1] && match[2] ? [[match[1], match[2]]] : []
  })
}

function withoutCredentials(name: string, value: string): string {
  return name.endsWith('registry') ? value.replace(/^(https?:\/\/)[^/@]*@/, '$1') : value
}
