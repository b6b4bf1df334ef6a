import type { JSX } from 'preact'
import { useMemo, useState } from 'preact/hooks'
import { preparePhoto } from '../patient/matrix/photo.ts'
import { Composer } from '../shared/conversation/composer.tsx'
import type { Item, Staged, Talk } from '../shared/conversation/item.ts'
import { MessageList } from '../shared/conversation/message-list.tsx'
import { talkWords } from '../shared/conversation/text/index.ts'
import { talkView } from '../shared/conversation/view-model.ts'
import type { Clinician } from './matrix/clinician.ts'
import { lastOwn, wordedMarks } from './steps.ts'

const words = {
  ...talkWords('en'),
  someone: 'A colleague',
  automatic: 'Wardroom',
  unreadableText: 'It was written before this device was there.',
}
const largest = 20_000_000

type Props = { clinician: Clinician; talk: Talk; seen: (id: string) => void }

/** The clinician's side: the patient page's own list and composer, over a client of the care room. */
export const Pane = ({ clinician, talk, seen }: Props): JSX.Element => {
  const [text, setText] = useState('')
  const [staged, setStaged] = useState<Staged | null>(null)
  const [notice, setNotice] = useState<string | null>(null)
  const [preparing, setPreparing] = useState(false)
  const view = useMemo(() => {
    const { name } = clinician.person
    const ghosts = talk.items.map(item => item.sender).filter(sender => sender.startsWith('@p_'))
    const team = Object.fromEntries([...ghosts, 'patient'].map(id => [id, { name, role: 'Patient' }]))
    return talkView({ talk: { ...talk, items: shown(talk.items, team) }, team, lang: 'en', words, now: Date.now() })
  }, [talk])
  const pick = async (file: File, kind: 'photo' | 'file') => {
    setNotice(null)
    if (file.size > largest) return setNotice(words.tooBig(largest / 1_000_000))
    setPreparing(true)
    try {
      const picture = kind === 'photo' || file.type.startsWith('image/')
      setStaged(picture ? await preparePhoto(file) : { kind: 'file', name: file.name, blob: file, url: '' })
    } catch {
      setNotice(words.badPhoto)
    } finally {
      setPreparing(false)
    }
  }
  const send = () => {
    if (staged) clinician.sendMedia(staged)
    if (text.trim() !== '') clinician.sendText(text.trim())
    setStaged(null)
    setText('')
    setNotice(null)
  }
  return (
    <>
      <MessageList
        view={view}
        lang="en"
        words={words}
        actions={{ loadMedia: clinician.loadMedia, retry: clinician.retry, discard: clinician.discard }}
        loadOlder={clinician.older}
        seen={seen}
      />
      <Composer
        text={text}
        staged={staged}
        preparing={preparing}
        notice={notice}
        quickReplies={lastOwn(talk.items, talk.me) ? [] : [clinician.person.hello]}
        lang="en"
        words={words}
        onText={setText}
        onPick={(file, kind) => void pick(file, kind)}
        onVoice={(blob, seconds) => {
          const end = blob.type.split(/[/;]/)[1] ?? 'webm'
          setStaged({ kind: 'voice', name: `voice.${end}`, blob, url: URL.createObjectURL(blob), seconds })
        }}
        onNoMicrophone={() => setNotice(words.noMicrophone)}
        onUnstage={() => setStaged(null)}
        onSend={send}
      />
    </>
  )
}

/** Marks get their words, a plain text from the telephone is the patient's, and of several cards the newest stands where the first one did. */
const shown = (items: Item[], team: Record<string, unknown>): Item[] => {
  const patient = Object.keys(team)[0] ?? 'patient'
  const first = items.find(isCard)
  const newest = items.findLast(isCard)
  return items
    .filter(item => !isCard(item) || item === first)
    .map(item => ({
      ...item,
      ...(item.bySms ? { sender: patient, mark: 'received' as const } : {}),
      ...(item === first && newest ? { content: newest.content } : {}),
      reactions: wordedMarks(item.reactions ?? []),
    }))
}

const isCard = (item: Item): boolean =>
  item.automatic === true && item.content.kind === 'text' && item.content.body.startsWith('🪪')
