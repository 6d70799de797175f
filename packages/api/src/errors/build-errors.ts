import { showing } from './catalogue-entry.ts'

/** Why a build did not end in an artifact. */
export const buildErrors = showing(['deploy', 'git'], {
  no_builder: {
    status: 409,
    title: 'No builder recognised the source',
    description:
      "The message lists what was looked for, and where. Add a `package.json` or a `Procfile` at the root of the app, or set the app's `root`.",
  },
  procfile_invalid: {
    status: 409,
    title: 'The Procfile does not parse',
    description:
      'The message gives line and column. A line is `name: command`; names have letters, digits, `-` and `_`.',
  },
  no_process_types: {
    status: 409,
    title: 'Nothing says what to run',
    description: 'The source has neither a Procfile with a process type nor a `start` script. Add one.',
  },
  package_json_invalid: {
    status: 409,
    title: 'The file package.json is malformed',
    description: '`package.json` is not JSON, or a field that Gantry reads has the wrong type. The message says where.',
  },
  lockfile_invalid: {
    status: 409,
    title: 'The lockfile is malformed or out of date',
    description:
      '`package-lock.json` is not JSON, or does not belong to this `package.json`. Run `npm install`, commit both, and push again.',
  },
  lockfile_unsupported: {
    status: 409,
    title: 'The lockfile belongs to another package manager',
    description:
      'The source has a lockfile of a package manager that Gantry does not build with. Use npm: remove it, run `npm install`, and commit `package-lock.json`.',
  },
  unsupported_version: {
    status: 409,
    title: 'The version asked for does not exist',
    description:
      'No release of the runtime satisfies what `engines.node` asks for. The message lists what is available.',
  },
  toolchain_unavailable: {
    status: 409,
    title: 'The runtime could not be fetched',
    description:
      'The package that carries the runtime could not be downloaded. Check that the machine reaches the registry, or ask for a version that is installed.',
  },
  dependency_install_failed: {
    status: 409,
    title: 'Installing the dependencies failed',
    description:
      'npm ended with an error; the last lines of the build log say why. `npm ci` in a clean checkout shows the same.',
  },
  build_failed: {
    status: 409,
    title: 'The build failed',
    description:
      'A step of the build ended with an error. The last lines of the build log say why; the running release was not touched.',
  },
  build_timed_out: {
    status: 409,
    title: 'The build took too long',
    description: 'The build was stopped at its time limit. Look in the build log for the step that hung.',
  },
  build_output_exceeded: {
    status: 409,
    title: 'The build wrote too much output',
    description: 'The build was stopped because its log passed the limit. Make the step quieter.',
  },
  build_disk_exceeded: {
    status: 409,
    title: 'The build used too much disk',
    description:
      'The build was stopped because its folder passed the limit. Write less, or remove what is not needed at run time.',
  },
  build_memory_exceeded: {
    status: 409,
    title: 'The build ran out of memory',
    description:
      'A process of the build was ended because it used more memory than a build may. Make the step use less.',
  },
  build_cancelled: {
    status: 409,
    title: 'The build was cancelled',
    description: 'Somebody cancelled the deploy, or a newer one took its place. No process of the build is left.',
  },
  build_interrupted: {
    status: 409,
    title: 'The build was interrupted',
    description:
      'The machine or Gantry stopped while the build ran, more often than Gantry tries again by itself. Retry the deploy.',
  },
})
