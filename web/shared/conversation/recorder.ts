/** A voice message that is being spoken; `seconds` since the start, at most `limit`. */
export type Recording = {
  limit: number
  seconds: () => number
  stop: () => Promise<{ blob: Blob; seconds: number }>
  cancel: () => void
}

const kinds = ['audio/webm;codecs=opus', 'audio/mp4', 'audio/ogg;codecs=opus']

/** Whether this browser can record at all; permission is asked only when recording starts. */
export const canRecord = (): boolean =>
  typeof MediaRecorder !== 'undefined' && typeof navigator.mediaDevices?.getUserMedia === 'function'

/** Asks for the microphone and starts; throws when the person or the browser says no. The microphone is released at stop and cancel. */
export const startRecording = async (): Promise<Recording> => {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true })
  const mimeType = kinds.find(kind => MediaRecorder.isTypeSupported(kind))
  const recorder = new MediaRecorder(stream, mimeType ? { mimeType, audioBitsPerSecond: 32_000 } : {})
  const parts: Blob[] = []
  recorder.ondataavailable = event => parts.push(event.data)
  const began = performance.now()
  const seconds = () => (performance.now() - began) / 1000
  const release = () => {
    for (const track of stream.getTracks()) track.stop()
  }
  const ended = new Promise<void>(resolve => {
    recorder.onstop = () => resolve()
  })
  recorder.start()
  return {
    limit: 180,
    seconds,
    stop: async () => {
      const length = seconds()
      if (recorder.state !== 'inactive') recorder.stop()
      await ended
      release()
      return { blob: new Blob(parts, { type: (recorder.mimeType || 'audio/webm').split(';')[0]! }), seconds: length }
    },
    cancel: () => {
      if (recorder.state !== 'inactive') recorder.stop()
      release()
    },
  }
}
