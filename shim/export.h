// How a function of this room becomes a dynamic symbol: this, and a line in exports.map.
#pragma once

#define HEAPRAKE_EXPORT extern "C" __attribute__((visibility("default")))
