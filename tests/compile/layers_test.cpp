// Includes follow the arrows of ARCHITECTURE.md. Most of this the include roots of cmake/layers.cmake enforce already;
// the rest (public headers of a layer above, libraries that belong to another layer) only shows here.
#include "includes.hpp"

#include <gmock/gmock.h>
#include <set>

namespace tortoise::compile {
namespace {

using testing::IsEmpty;

/// What a directory may include beside the standard library.
struct Layer {
    std::string directory;
    std::set<std::string> layers = {};       // private headers: "LAYER/…"
    std::vector<std::string> libraries = {}; // <prefix…>
    bool system = false;                     // <unistd.h>, <sys/socket.h>
    std::set<std::string> not_public = {};   // public headers that belong to a layer above
    bool jackalope = false;                  // <jackalope/…>
};

const std::set<std::string> of_the_shell = {"tortoise/asio.hpp",
                                            "tortoise/connection.hpp",
                                            "tortoise/coro.hpp",
                                            "tortoise/events.hpp",
                                            "tortoise/handler.hpp",
                                            "tortoise/logger_handler.hpp",
                                            "tortoise/pending.hpp",
                                            "tortoise/pipe.hpp",
                                            "tortoise/registry.hpp",
                                            "tortoise/runtime.hpp",
                                            "tortoise/statistics.hpp",
                                            "tortoise/store.hpp",
                                            "tortoise/store_adaptor.hpp",
                                            "tortoise/supervisor.hpp",
                                            "tortoise/tls.hpp",
                                            "tortoise/tortoise.hpp",
                                            "tortoise/transport.hpp",
                                            "tortoise/testing/broker.hpp",
                                            "tortoise/profile.hpp",
                                            "tortoise/tokens.hpp",
                                            "tortoise/testing/certificates.hpp"};

std::set<std::string> without(std::set<std::string> all, std::initializer_list<const char*> some) {
    for (const auto* name : some) all.erase(name);
    return all;
}

const std::vector<Layer>& house() {
    static const std::vector<Layer> layers = {
        {.directory = "include/tortoise/core", .not_public = of_the_shell},
        {.directory = "include/tortoise/testing",
         .not_public = without(of_the_shell, {"tortoise/testing/broker.hpp", "tortoise/tls.hpp"})},
        {.directory = "src/core", .layers = {"core"}, .not_public = of_the_shell},
        {.directory = "src/io",
         .layers = {"core", "io"},
         .libraries = {"boost/", "openssl/"},
         .system = true,
         .not_public = without(of_the_shell, {"tortoise/store.hpp", "tortoise/store_adaptor.hpp", "tortoise/tls.hpp",
                                              "tortoise/transport.hpp"})},
        {.directory = "src/store",
         .layers = {"core", "store"},
         .libraries = {"sqlite3.h"},
         .system = true,
         .not_public = without(of_the_shell, {"tortoise/store.hpp", "tortoise/store_adaptor.hpp"})},
        {.directory = "src/client",
         .layers = {"client", "core", "io", "store"},
         .not_public = {"tortoise/testing/broker.hpp", "tortoise/testing/certificates.hpp"}},
        {.directory = "src/jackalope",
         .layers = {"jackalope"},
         .not_public = {"tortoise/testing/broker.hpp"},
         .jackalope = true},
        {.directory = "include/jackalope", .not_public = {"tortoise/testing/broker.hpp"}, .jackalope = true},
        {.directory = "src/broker",
         .layers = {"broker", "core"},
         .not_public = without(of_the_shell, {"tortoise/testing/broker.hpp"})},
        {.directory = "src/sim",
         .layers = {"sim", "broker", "core"},
         .not_public = without(of_the_shell, {"tortoise/testing/broker.hpp"})},
        {.directory = "src/testing",
         .layers = {"testing", "broker", "core", "io", "sim"},
         .not_public = without(
             of_the_shell, {"tortoise/testing/broker.hpp", "tortoise/testing/certificates.hpp", "tortoise/tls.hpp"})},
        {.directory = "src/cli", .libraries = {"CLI/", "fmt/", "nlohmann/"}, .system = true, .jackalope = true},
        {.directory = "examples", .libraries = {"gtest/", "boost/asio/"}, .system = true, .jackalope = true},
    };
    return layers;
}

bool allowed(const Layer& layer, const std::filesystem::path& file, const Include& include) {
    if (is_standard(include)) return true;
    if (include.quoted) {
        const auto slash = include.name.find('/');
        // A header beside the file.
        if (slash == std::string::npos) return std::filesystem::exists(file.parent_path() / include.name);
        return layer.layers.contains(include.name.substr(0, slash));
    }
    if (include.name.starts_with("tortoise/")) return !layer.not_public.contains(include.name);
    if (include.name.starts_with("jackalope/")) return layer.jackalope;
    if (layer.system && include.name.ends_with(".h")) return true;
    return std::any_of(layer.libraries.begin(), layer.libraries.end(),
                       [&](const std::string& prefix) { return include.name.starts_with(prefix); });
}

TEST(Layers, IncludeOnlyWhatTheArrowsAllow) {
    std::vector<std::string> wrong;
    for (const auto& layer : house()) {
        for (const auto& file : sources_below(layer.directory)) {
            for (const auto& include : includes_of(file)) {
                if (!allowed(layer, file, include)) wrong.push_back(place(file, include));
            }
        }
    }
    EXPECT_THAT(wrong, IsEmpty());
}

TEST(Layers, AreAllDrawn) {
    std::set<std::string> known;
    for (const auto& layer : house()) known.insert(layer.directory);
    std::vector<std::string> unknown;
    for (const auto& entry : std::filesystem::directory_iterator(source_root() / "src")) {
        const auto name = "src/" + entry.path().filename().string();
        if (entry.is_directory() && !known.contains(name)) unknown.push_back(name);
    }
    EXPECT_THAT(unknown, IsEmpty());
}

} // namespace
} // namespace tortoise::compile
