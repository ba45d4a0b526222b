// Replays stimuli on a design that Verilator has compiled, and hashes all its outputs in every cycle.
//
//     replay STIMULI CYCLES HASHES
//
// Prints the seconds of processor time that the cycles took.
#include "ports.h"

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <vector>

static std::vector<uint64_t> read_limbs(const char *name) {
    FILE *file = fopen(name, "rb");
    if (!file) exit(3);
    fseek(file, 0, SEEK_END);
    std::vector<uint64_t> limbs(ftell(file) / sizeof(uint64_t));
    rewind(file);
    if (fread(limbs.data(), sizeof(uint64_t), limbs.size(), file) != limbs.size()) exit(3);
    fclose(file);
    return limbs;
}

static double processor_time() {
    timespec time;
    if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)) exit(3);
    return time.tv_sec + time.tv_nsec * 1e-9;
}

int main(int argc, char **argv) {
    if (argc != 4) return 2;
    const std::vector<uint64_t> stimuli = read_limbs(argv[1]);
    std::vector<uint64_t> hashes(strtoull(argv[2], nullptr, 10));
    const uint64_t *const end = stimuli.data() + stimuli.size();
    const std::unique_ptr<Vtop> top(new Vtop);

    const double start = processor_time();
    const uint64_t *frame = stimuli.data();
    uint64_t hash[HASH_LANES] = {};
    for (uint64_t &kept : hashes) {
        drive(*top, frame);
        top->eval();
        observe(*top, hash);
        kept = hash[0];
        for (size_t lane = 1; lane < HASH_LANES; ++lane) kept = extend(kept, hash[lane]);
        edge(*top);
        frame += INPUT_LIMBS;
        if (frame == end) frame = stimuli.data();
    }
    const double elapsed = processor_time() - start;

    FILE *file = fopen(argv[3], "wb");
    if (!file) return 3;
    if (fwrite(hashes.data(), sizeof(uint64_t), hashes.size(), file) != hashes.size()) return 3;
    if (fclose(file)) return 3;
    printf("%.9f\n", elapsed);
    return 0;
}
