// Hides instruction sets from a program and from every library in it, to measure on this processor
// what a processor without them would run. Built and loaded by levels.sh. Linux on x86-64.
//
// The processor is set to fault on CPUID, and the handler answers with bits cleared. Needs a
// processor and a kernel that can do this (flag cpuid_fault in /proc/cpuinfo).

#define _GNU_SOURCE
#include <asm/prctl.h>
#include <cpuid.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

// What a level lacks of leaf 7: subleaf 0 in EBX, ECX and EDX, subleaf 1 in EAX.
struct absent {
    const char *level;
    unsigned ebx, ecx, edx, eax1;
};

static const struct absent LEVELS[] = {
    // AVX-512 in all its parts, and AMX.
    {"vaes", 0xdc230000, 0x00005842, 0x03c0010c, 0x00200020},
    // Also VAES, VPCLMULQDQ, GFNI, AVX-VNNI and AVX-IFMA.
    {"avx2", 0xdc230000, 0x00005f42, 0x03c0010c, 0x00a00030},
};

static const struct absent *absent;

static void give_up(const char *message) {
    (void)!write(2, message, strlen(message));
    _exit(3);
}

static void set_faulting(int on) {
    if (syscall(SYS_arch_prctl, ARCH_SET_CPUID, !on) != 0) {
        give_up("mask-cpu: this processor or kernel cannot mask CPUID\n");
    }
}

static void answer(int signal_number, siginfo_t *info, void *context) {
    (void)info;
    greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
    const unsigned char *code = (const unsigned char *)registers[REG_RIP];
    if (code[0] != 0x0f || code[1] != 0xa2) {
        // Another fault: let it end the program when the instruction runs again.
        signal(signal_number, SIG_DFL);
        return;
    }
    unsigned leaf = registers[REG_RAX], subleaf = registers[REG_RCX], a, b, c, d;
    set_faulting(0);
    __cpuid_count(leaf, subleaf, a, b, c, d);
    set_faulting(1);
    if (leaf == 7 && subleaf == 0) {
        b &= ~absent->ebx, c &= ~absent->ecx, d &= ~absent->edx;
    } else if (leaf == 7 && subleaf == 1) {
        a &= ~absent->eax1;
    }
    registers[REG_RAX] = a, registers[REG_RBX] = b, registers[REG_RCX] = c, registers[REG_RDX] = d;
    registers[REG_RIP] += 2;
}

// Runs before the constructors of all libraries, some of which look for instruction sets; even
// before getenv works.
__attribute__((constructor)) static void mask(int count, char **arguments, char **environment) {
    (void)count, (void)arguments;
    static const char NAME[] = "MASK_CPU=";
    for (; *environment && !absent; environment++) {
        if (strncmp(*environment, NAME, sizeof NAME - 1) != 0) continue;
        for (unsigned i = 0; i < sizeof LEVELS / sizeof *LEVELS; i++) {
            if (strcmp(*environment + sizeof NAME - 1, LEVELS[i].level) == 0) absent = &LEVELS[i];
        }
    }
    if (!absent) give_up("mask-cpu: set MASK_CPU to vaes or avx2\n");
    struct sigaction action = {.sa_sigaction = answer, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &action, NULL);
    set_faulting(1);
}
