// Call stacks to be unwound: `probe` is called at the bottom of frames of many kinds, which the
// compiler made at the level of optimisation of the namespace's name.
#pragma once

using Probe = int();

namespace frames_o0 {
int all(Probe* probe);
}
namespace frames_o1 {
int all(Probe* probe);
}
namespace frames_o2 {
int all(Probe* probe);
}
namespace frames_o3 {
int all(Probe* probe);
}
