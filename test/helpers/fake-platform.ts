import { readFileSync } from 'node:fs'
import type { PlannedImage } from '../../builder/host-plan.ts'
import { summed, textFile } from '../../builder/outputs/outputs.ts'
import { fileSegment } from '../../builder/outputs/segment.ts'
import type { Assembly, FileInStore, Platform, SignedFacts } from '../../builder/platforms/platform.ts'
import { UserError } from '../../errors.ts'
import { NO_NEEDS } from '../../images/certificates/need.ts'
import { digestOf } from '../../images/digest.ts'
import { MIB } from '../../images/layout.ts'
import { signText } from '../../images/signature/sshsig.ts'
import { type SmallPlan, smallDerivations } from './small-lab.ts'

const FIRMWARE = 'firmware.bin'
const SETTINGS = 'settings.txt'

interface RouterImage extends PlannedImage {
  readonly channel: number
}

/** A router: one firmware file without layers, and a manifest in a format of its own. */
export const fakePlatform: Platform<RouterImage> = {
  name: 'fake',
  assemble({ host, channel, bootFiles, signing, state }) {
    const firmware = bootFiles[FIRMWARE] as FileInStore
    const manifest = `${JSON.stringify({
      ...{ host, board: 'router', signature: signing.kind, root: firmware.digest, size: firmware.size, channel },
      files: Object.entries(bootFiles).map(([name, { size, digest }]) => ({ name, size, digest })),
    })}\n`
    const signature = signing.kind === 'signed' ? { 'manifest.json.sig': signText(manifest, signing.key) } : {}
    return filesOf(bootFiles, { 'manifest.json': manifest, ...signature }, state)
  },
  reassemble: ({ boot, texts, state }) => filesOf(boot as Record<string, FileInStore>, texts, state),
  readManifest(text, where): SignedFacts {
    const { host, board, signature, root, size, files } = JSON.parse(text)
    if (!Array.isArray(files)) throw new UserError('format', `'${where}' is not the manifest of a router`)
    const facts = { host, board, signature, root, size }
    return { ...facts, layers: [], bootFiles: files, bootTexts: [], outputs: { [FIRMWARE]: root } }
  },
  isPublic: (board) => board === 'router',
  images: () => ({ disk: FIRMWARE, slot: FIRMWARE, boot: undefined, others: [] }),
  comparedFiles: { [SETTINGS]: (text) => text },
}

function filesOf(
  bootFiles: Readonly<Record<string, FileInStore>>,
  texts: Readonly<Record<string, string>>,
  state: Parameters<typeof fakePlatform.reassemble>[0]['state'],
): Assembly {
  const firmware = bootFiles[FIRMWARE] as FileInStore
  if (digestOf(readFileSync(firmware.file)) !== firmware.digest) throw new Error('the firmware is corrupt')
  return {
    ...{ root: firmware.digest, size: firmware.size, boot: bootFiles, texts },
    files: {
      [FIRMWARE]: summed(state[FIRMWARE], firmware.size, [fileSegment(0, firmware)]),
      ...Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, textFile(text)])),
    },
  }
}

/** A router whose firmware a derivation makes from one package and one line of configuration. */
export const smallRouterPlan: SmallPlan = (lock, line) => {
  const { made, debs } = smallDerivations(lock)
  const firmware = made('firmware', { ...debs('app'), 'settings.txt': { bytes: `${line}\n` } })
  return {
    name: 'tiny',
    platform: 'fake',
    deviceSources: [],
    requests: () => [],
    certificates: NO_NEEDS,
    secrets: [],
    image: (): RouterImage => ({
      slotSize: 8 * MIB,
      layers: [],
      bootFiles: { [FIRMWARE]: { from: firmware, file: 'program' }, [SETTINGS]: { bytes: `${line}\n` } },
      sbom: made('sbom', debs('app')),
      channel: 36,
    }),
  }
}
