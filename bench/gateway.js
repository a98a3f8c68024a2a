// One read, by HTTP through the gateway or by gRPC straight from the service; the environment says which.
import http from 'k6/http';
import grpc from 'k6/net/grpc';

const client = new grpc.Client();
if (__ENV.MODE === 'grpc') client.load([__ENV.GOOGLEAPIS, __ENV.PROTO], 'tonewright/artists/v1/artists.proto');

export const options = {
  vus: Number(__ENV.VUS),
  duration: `${__ENV.SECONDS}s`,
  summaryTrendStats: ['p(50)', 'p(99)', 'count'],
};

let connected = false;

export default function () {
  if (__ENV.MODE === 'http') {
    const answer = http.get(`${__ENV.URL}/v1/${__ENV.NAME}`, { headers: { Authorization: `Bearer ${__ENV.KEY}` } });
    if (answer.status !== 200) throw new Error(`${answer.status} ${answer.body}`);
    return;
  }
  if (!connected) {
    client.connect(__ENV.TARGET, { plaintext: true });
    connected = true;
  }
  const answer = client.invoke('tonewright.artists.v1.ArtistsService/GetArtist', { name: __ENV.NAME }, {
    metadata: { authorization: `Bearer ${__ENV.TOKEN}` },
  });
  if (answer.status !== grpc.StatusOK) throw new Error(JSON.stringify(answer.error));
}

export function handleSummary(data) {
  const name = __ENV.MODE === 'http' ? 'http_req_duration' : 'grpc_req_duration';
  const facts = data.metrics[name].values;
  const summary = { p50_ms: facts['p(50)'], p99_ms: facts['p(99)'], rps: data.metrics.iterations.values.rate };
  return { stdout: JSON.stringify(summary) + '\n' };
}
