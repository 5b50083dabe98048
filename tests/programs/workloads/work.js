'use strict';
// Maps, JSON, buffers, zlib and worker threads.
const crypto = require('crypto');
const zlib = require('zlib');
const { Worker, isMainThread, parentPort, workerData } = require('worker_threads');

const digest = (data) => crypto.createHash('sha256').update(data).digest('hex').slice(0, 16);

function compute(seed) {
  let state = seed;
  const noise = () => (state = (Math.imul(state, 1103515245) + 12345) >>> 0);
  const words = new Map();
  for (let i = 0; i < 40000; ++i) {
    const word = 'w' + (noise() % 5000);
    words.set(word, (words.get(word) || 0) + 1);
  }
  const text = JSON.stringify([...words].sort());
  const buffers = [];
  for (let i = 0; i < 300; ++i) {
    buffers.push(Buffer.alloc(1000 + (noise() % 60000), i & 255));
    if (buffers.length > 50) buffers.splice(0, 25);
  }
  const packed = zlib.gzipSync(text);
  if (zlib.gunzipSync(packed).toString() !== text) throw new Error('zlib');
  return digest(text) + ' ' + digest(Buffer.concat(buffers));
}

if (!isMainThread) {
  parentPort.postMessage(compute(workerData));
} else {
  console.log('main', compute(1));
  const jobs = [2, 3, 4].map((seed) => new Promise((resolve, reject) => {
    const worker = new Worker(__filename, { workerData: seed });
    worker.on('message', resolve);
    worker.on('error', reject);
  }));
  Promise.all(jobs).then((results) => {
    for (const result of results) console.log('worker', result);
  });
}
